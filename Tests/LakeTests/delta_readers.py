"""Reads a lake of Delta tables with programs that nobody here wrote, and prints what each of them finds."""
import collections, datetime, glob, json, sys

import deltalake, duckdb, polars, pyarrow.dataset
import duckdb_extension_delta

lake, sql = sys.argv[1], sys.argv[2]
TABLES = ("events", "accounts", "orders", "bookings", "billing_lines")


def bills(rows):
    return [{"account_id": r[0], "billing_month": r[1], "currency": r[2], "gross": int(r[3]), "tax": int(r[4]),
             "refunds": int(r[5]), "line_count": int(r[6])} for r in rows]


def fold(lines):
    """The bills out of rows of billing_lines, by nobody's SQL."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    for line in lines:
        total = sums[line["account_id"], line["billing_month"], line["currency"]]
        sign = 1 if line["line_kind"] == "charge" else -1
        total[0 if sign == 1 else 2] += line["amount_minor"]
        total[1] += sign * line["tax_minor"]
        total[3] += 1
    return bills((*key, gross, tax, refunds, count) for key, (gross, tax, refunds, count) in sorted(sums.items()))


answers = {}

# DuckDB, by its Delta extension (delta-kernel).
connection = duckdb.connect()
(extension,) = glob.glob(duckdb_extension_delta.__path__[0] + "/extensions/*/delta.duckdb_extension")
connection.execute(f"load '{extension}'")
for table in TABLES:
    connection.execute(f"create view {table} as select * from delta_scan('{lake}/{table}')")
answers["duckdb"] = {
    "rows": {t: connection.execute(f"select count(*) from {t}").fetchone()[0] for t in TABLES},
    "bills": bills(connection.execute(sql).fetchall()),
    # As many events as positions, found by bounds and partitions too.
    "events": list(connection.execute("select count(*), min(position), max(position), count(distinct position) from events")
                   .fetchone()),
    "order_events": connection.execute(
        "select count(*) from events where category = 'order' and position > 5 and event_type = 'order-confirmed'").fetchone()[0],
}

# delta-rs, and PyArrow on the files that it names.
tables = {t: deltalake.DeltaTable(f"{lake}/{t}") for t in TABLES}
arrow = {t: tables[t].to_pyarrow_table() for t in TABLES}
events = arrow["events"].sort_by("position")
filtered = tables["events"].to_pyarrow_table(
    filters=[("category", "=", "order"), ("position", ">", 5), ("event_type", "=", "order-confirmed")])
answers["delta-rs"] = {
    "rows": {t: arrow[t].num_rows for t in TABLES},
    "bills": fold(arrow["billing_lines"].to_pylist()),
    "events": [events.num_rows, events["position"][0].as_py(), events["position"][-1].as_py(),
               len(set(events["position"].to_pylist()))],
    "order_events": filtered.num_rows,
}
answers["transactions"] = {t: tables[t].transaction_version(f"aisle/{t}") for t in TABLES}
answers["payloads"] = [json.loads(p) for p in events["payload"].to_pylist()]
answers["envelopes"] = [
    [row["position"], row["stream"], row["stream_version"], row["event_id"], row["event_type"], row["category"],
     (row["recorded_at"] - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1),
     row["event_date"].isoformat()]
    for row in events.drop_columns(["payload"]).to_pylist()]

# Polars.
scanned = {t: polars.scan_delta(f"{lake}/{t}") for t in TABLES}
positions = scanned["events"].select("position").collect()["position"]
answers["polars"] = {
    "rows": {t: scanned[t].select(polars.len()).collect().item() for t in TABLES},
    "bills": fold(scanned["billing_lines"].collect().to_dicts()),
    "events": [len(positions), positions.min(), positions.max(), positions.n_unique()],
    "order_events": scanned["events"].filter(
        (polars.col("category") == "order") & (polars.col("position") > 5)
        & (polars.col("event_type") == "order-confirmed")).select(polars.len()).collect().item(),
}

# The folders as Hive has them, for what knows no Delta: true as long as no interrupted export has left files.
hive = pyarrow.dataset.dataset(f"{lake}/billing_lines", format="parquet", partitioning="hive", ignore_prefixes=["_"])
answers["hive"] = fold(hive.to_table().to_pylist())
print(json.dumps(answers))
