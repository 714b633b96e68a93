"""Reads every file that a test has written with PyArrow and with DuckDB, and compares values and statistics."""
import datetime, glob, json, os, sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ARROW = {"boolean": pa.bool_(), "int32": pa.int32(), "int64": pa.int64(), "timestamp": pa.timestamp("us", tz="UTC"),
         "date": pa.date32(), "bytes": pa.binary(), "string": pa.string()}
DUCKDB = {"boolean": "BOOLEAN", "int32": "INTEGER", "int64": "BIGINT", "timestamp": "TIMESTAMP WITH TIME ZONE",
          "date": "DATE", "bytes": "BLOB", "string": "VARCHAR", "json": "JSON"}
NUMBERS = ("boolean", "int32", "int64", "timestamp", "date")
connection = duckdb.connect()


def check(condition, *context):
    if not condition:
        raise AssertionError(context)


def arrow_values(array, kind):
    if kind == "timestamp":
        array = array.cast(pa.int64())
    elif kind == "date":
        array = array.cast(pa.int32())
    elif isinstance(array.type, pa.BaseExtensionType):
        array = array.cast(array.type.storage_type)
    values = array.to_pylist()
    if kind in NUMBERS:
        return [None if value is None else int(value) for value in values]
    return [None if value is None else (value if isinstance(value, bytes) else value.encode()).hex()
            for value in values]


def duckdb_column(name, kind):
    return {"boolean": f"{name}::int", "timestamp": f"epoch_us({name})", "date": f"{name} - date '1970-01-01'",
            "bytes": f"lower(hex({name}))", "string": f"lower(hex(encode({name})))",
            "json": f"lower(hex(encode({name}::varchar)))"}.get(kind, name)


class Thrift:
    """The compact protocol, without a schema: a struct is a dictionary of its fields' numbers."""

    def __init__(self, data, at):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def signed(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind in (4, 5, 6):
            return self.signed()
        if kind == 8:
            length = self.varint()
            self.at += length
            return self.data[self.at - length:self.at]
        if kind == 12:
            return self.struct()
        raise AssertionError(("kind", kind))

    def struct(self):
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.signed()
            fields[last] = self.value(head & 15)


def raw(value, kind):
    if kind == "boolean":
        return value[0]
    return int.from_bytes(value, "little", signed=True) if kind in NUMBERS else value


def check_bounds(least, greatest, exact, values, kind, where):
    values = [value if kind in NUMBERS else bytes.fromhex(value) for value in values if value is not None]
    if kind == "json" or not values:
        check(least is None and greatest is None, "bounds of", where)
        return
    if least is None or greatest is None:
        # Only texts that begin with many of the last characters have no upper bound.
        check(kind in ("bytes", "string") and len(max(values)) > 64, "no bounds", where)
        return
    if kind in NUMBERS or len(min(values)) <= 64:
        check(least == min(values), "least", least, min(values), where)
    if kind in NUMBERS or len(max(values)) <= 64:
        check(greatest == max(values), "greatest", greatest, max(values), where)
    check(least <= min(values) and greatest >= max(values), "bounds", where)
    if exact is not None:
        check(exact == (least == min(values), greatest == max(values)), "exact", exact, where)
    if kind == "string":
        least.decode(), greatest.decode()


def check_pages(data, chunk, values, kind, dictionary_bytes, where):
    """Walks the pages of a column chunk, whose statistics all have to be right; returns how many there are."""
    start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
    thrift, row, pages = Thrift(data, start), 0, 0
    while thrift.at < start + chunk.total_compressed_size:
        header = thrift.struct()
        thrift.at += header[3]
        if header[1] != 0:
            check(header[2] <= dictionary_bytes, "size of the dictionary", header[2], where)
            continue
        page = header[5]
        part = values[row:row + page[1]]
        row, pages, found = row + page[1], pages + 1, page[5]
        check(found[3] == sum(value is None for value in part), "nulls of a page", where)
        bounds = [raw(found[key], kind) if key in found else None for key in (6, 5)]
        exact = (found[8], found[7]) if 8 in found else None
        check_bounds(*bounds, exact, part, kind, (where, "page", pages))
    check(row == len(values), "rows of the pages", where)
    return pages


groups = pages = files = 0
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
    expected = json.load(open(path))
    path = path[:-5] + ".parquet"
    files += 1
    data = open(path, "rb").read()
    file = pq.ParquetFile(path, page_checksum_verification=True)
    metadata = file.metadata
    table = file.read()
    columns = expected["columns"]
    check(metadata.metadata[b"made by"] == b"a test", path)
    check(table.num_rows == expected["rows"], "rows", path)
    check(table.column_names == [column["name"] for column in columns], "names", path)
    result = connection.read_parquet(path)
    check([str(kind) for kind in result.types] == [DUCKDB[column["type"]] for column in columns], result.types, path)
    query = ", ".join(duckdb_column(column["name"], column["type"]) for column in columns)
    rows = connection.execute(f"select {query} from read_parquet('{path}')").fetchall()
    found = list(zip(*rows)) if rows else [()] * len(columns)
    for index, column in enumerate(columns):
        name, kind, values = column["name"], column["type"], column["values"]
        where = (path, name, kind)
        check(file.schema_arrow.field(name).nullable == column["optional"], "nullable", where)
        if kind in ARROW:
            check(table.column(name).type == ARROW[kind], table.column(name).type, where)
        check(arrow_values(table.column(name), kind) == values, "PyArrow's values", where)
        check(list(found[index]) == values, "DuckDB's values", where)
        start = 0
        for group in range(metadata.num_row_groups):
            chunk = metadata.row_group(group).column(index)
            part = values[start:start + metadata.row_group(group).num_rows]
            start += len(part)
            statistics = chunk.statistics
            check(statistics.null_count == sum(value is None for value in part), "nulls", where)
            bounds = (statistics.min_raw, statistics.max_raw) if statistics.has_min_max else (None, None)
            bounds = tuple(int(value) if kind in NUMBERS and value is not None else
                           value.encode() if isinstance(value, str) else value for value in bounds)
            check_bounds(*bounds, None, part, kind, (where, "row group", group))
            pages += check_pages(data, chunk, part, kind, expected["dictionary_bytes"], where)
            groups += 1
        check(start == len(values), "rows of the row groups", where)
print(json.dumps({"files": files, "groups": groups, "pages": pages}))
