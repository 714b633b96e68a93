#!/usr/bin/env python3
"""What each carrier has to be billed, computed from the flights alone, without anything of Aisle.

  oracle.py DIRECTORY FIRST_DAY [LAST_DAY]                   print the bills as JSON
  oracle.py DIRECTORY FIRST_DAY [LAST_DAY] --compare FILE…   compare with `aisle billing month … --json`

The rules are in README.md. The month is the month column of the data: the local date in New York.
"""
import csv, datetime, json, os, sys

PRIME, OFFSET, MASK = 0x100000001B3, 0xCBF29CE484222325, (1 << 64) - 1


def fnv1a(text):
    value = OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * PRIME) & MASK
    return value


def half_even(numerator, denominator):
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def bills(directory, first, last):
    with open(os.path.join(directory, "planes.csv")) as file:
        seats_of = {row["tailnum"]: int(row["seats"]) for row in csv.DictReader(file)}
    totals = {}
    day = first
    while day <= last:
        with open(os.path.join(directory, "flights", "%s.csv" % day)) as file:
            for row in csv.DictReader(file):
                date = "%s-%02d-%02d" % (row["year"], int(row["month"]), int(row["day"]))
                flight = "ny-%s-%s-%s-%s" % (date, row["carrier"], row["flight"], row["origin"])
                seats = seats_of.get(row["tailnum"], 150)
                fingerprint = fnv1a(flight)
                if seats < 24:
                    sold = min(4, seats)
                else:
                    sold = sum(1 + (fingerprint >> (8 * group)) % 4 for group in range(4))
                price = 2000 + 12 * int(row["distance"])
                tax = half_even(price * 750, 10750)
                cancelled = row["dep_time"] in ("", "NA")
                total = totals.setdefault((row["carrier"], date[:7]), dict(gross=0, tax=0, refunds=0, lines=0))
                total["gross"] += sold * price
                total["refunds"] += sold * price if cancelled else 0
                total["tax"] += 0 if cancelled else sold * tax
                total["lines"] += sold * (2 if cancelled else 1)
        day += datetime.timedelta(days=1)
    return totals


def main():
    arguments, _, files = " ".join(sys.argv[1:]).partition("--compare")
    directory, *days = arguments.split()
    first = datetime.date.fromisoformat(days[0])
    last = datetime.date.fromisoformat(days[-1])
    expected = bills(directory, first, last)
    if not files:
        print(json.dumps([dict(account=key[0], month=key[1], **value) for key, value in sorted(expected.items())]))
        return 0
    found = {}
    for name in files.split():
        with open(name) as file:
            for bill in json.load(file):
                amounts = {key: bill[key]["amount"] if isinstance(bill[key], dict) else bill[key]
                           for key in ("gross", "tax", "refunds")}
                found[bill["account_id"], bill["month"]] = dict(amounts, lines=bill["lines"])
    differences = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    for key in differences:
        print("✗ %s %s: expected %s, found %s" % (*key, expected.get(key), found.get(key)))
    if not differences:
        print("✓ %d carrier bills: Python's integers agree to the cent" % len(expected))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
