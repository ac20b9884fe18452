namespace ClaimCheck.Testing;

/// <summary>A column of the table that holds every type's edge values.</summary>
/// <param name="Type">As Postgres names it.</param>
/// <param name="Values">Literals that it takes.</param>
internal sealed record EdgeColumn(string Type, params string[] Values)
{
    /// <summary>The type that values are cast to before they go into the column; its own where that is another.</summary>
    public string Base { get; init; } = Type;

    /// <summary>Whether JSON says all that its values say: it has no bounds of arrays, and one null for two.</summary>
    public bool IsWholeInJson { get; init; } = true;
}

/// <summary>
/// Every type of Postgres that columns have, with the values at its edges: what one part of the product writes of them, each of
/// its readers must take for the same.
/// </summary>
internal static class EdgeValues
{
    private const int Levels = 9000;

    public const string Types = """
        CREATE TYPE mood AS ENUM ('so "so"', 'glad', 'Glad', 'in progress');
        CREATE TYPE pair AS (n integer, t text);
        CREATE TYPE spans AS RANGE (SUBTYPE = text);
        CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
        CREATE DOMAIN blob AS bytea;
        CREATE DOMAIN ints AS integer[];
        CREATE DOMAIN doc AS jsonb;
        """;

    public static IReadOnlyList<EdgeColumn> Columns { get; } =
    [
        new("smallint", "-32768", "32767", "0"),
        new("integer", "-2147483648", "2147483647"),
        new("bigint", "-9223372036854775808", "9223372036854775807"),
        new("numeric", "NaN", "Infinity", "-Infinity", "0.1234567890123456789012345678901234", "-0.00", "1e300",
            new string('9', 900), "79228162514264337593543950335"),
        new("numeric(12,2)", "-0.01", "9999999999.99"),
        new("real", "NaN", "Infinity", "-Infinity", "3.4028235e38", "1e-45", "0.1", "-0"),
        new("double precision", "NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324", "0.30000000000000004", "-0"),
        new("money", "-92233720368547758.08", "92233720368547758.07"),
        new("boolean", "t", "f"),
        new("text", "", "a \"quoted\", \\ \n\r\tline", "é😀\u2028", "null", "\\N", " pad ", "{}", "[1]", "-1h30m0s",
            "2026-02-01 12:00:00 +0000 UTC"),
        new("character varying(20)", "", "NULL", "a'b"),
        new("character(5)", "ab", "", "abcde") { Base = "bpchar" },
        new("\"char\"", "x", "") { Base = "text" },
        new("name", "pg_class"),
        new("bytea", "\\x", "\\x00ff", "\\x5c7827"),
        new("uuid", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        new("date", "infinity", "-infinity", "0044-03-15 BC", "4714-11-24 BC", "5874897-12-31", "0001-01-01", "9999-12-31",
            "10000-01-01", "2024-02-29"),
        new("time", "00:00", "24:00", "23:59:59.999999"),
        new("time(0) with time zone", "24:00:00-15:59:59", "00:00:00+15:59:59", "12:00+05:30") { Base = "timetz" },
        new("timestamp", "infinity", "-infinity", "4714-11-24 00:00:00 BC", "0044-03-15 12:00:00.5 BC",
            "294276-12-31 23:59:59.999999", "0001-01-01", "9999-12-31 23:59:59.999999"),
        new("timestamptz", "infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
            "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "2026-02-01 12:00:00+00"),
        new("interval", "PT0S", "P-1Y-2M3DT-4H-5M-6.789S", "178000000 years", "-178000000 years",
            "-1 mon +1 day -00:00:00.000001", "2562047788:00:54.775807", "-1 day +23:00:00"),
        new("json", "\"\\ud800\"", """{"a":1, "a" : [null, "\u0000"]}""", Nested("[", "1", "]"), Nested("{\"a\":", "{}", "}"),
            "{ \"a\" :  1e400 }", "\"\\u00e9 text\"", "-0.0"),
        new("jsonb", "\"text\"", """{"é": [1.10, null, {"b": "\"\\"}]}""", Nested("[", "", "]"), "1e300", "true"),
        new("xml", "<a b=\"c\">é</a>", "plain"),
        new("inet", "::ffff:1.2.3.4/128", "10.0.0.1/8"),
        new("cidr", "10.0.0.0/8", "::/0"),
        new("macaddr", "08:00:2b:01:02:03"),
        new("macaddr8", "08:00:2b:01:02:03:04:05"),
        new("bit(3)", "101") { Base = "varbit" },
        new("bit varying", "", "1010101") { Base = "varbit" },
        new("point", "(1e300,-0)"),
        new("line", "{1,-1,0}"),
        new("lseg", "[(0,0),(1,1)]"),
        new("box", "(1,1),(0,0)"),
        new("path", "((0,0),(1,1))", "[(0,0),(1,1)]"),
        new("polygon", "((0,0),(1,1),(2,0))"),
        new("circle", "<(0,0),1>"),
        new("int4range", "empty", "(,)", "[1,5)"),
        new("numrange", "[0.1,1e20]"),
        new("tstzrange", "[2026-01-01 00:00:00+00,infinity]", "(-infinity,)"),
        new("daterange", "[0044-03-15 BC,)"),
        new("int4multirange", "{}", "{[1,3),[5,7)}"),
        new("tsvector", "'a':1A 'b''c':2"),
        new("tsquery", "'a' & !'b'"),
        new("pg_lsn", "0/16B3748"),
        new("oid", "4294967295"),
        new("jsonpath", "$.\"a\"[*]"),
        new("mood", "so \"so\"", "glad", "Glad", "in progress") { Base = "public.mood" },
        new("pair", "(1,\"a \"\"b\"\", c\")", "(,)") { Base = "public.pair" },
        new("spans", "[a,\"b,c\")"),
        new("positive", "1"),
        new("blob", "\\x00ff") { Base = "bytea" },
        new("ints", "{1,NULL}") { Base = "integer[]" },
        new("doc", "[1,[2]]", "{\"a\":[]}") { Base = "jsonb" },
        new("integer[]", "{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "{NULL}"),
        new("bigint[]", "[2:3]={1,2}") { IsWholeInJson = false },
        new("json[]", "{NULL,\"[1,null]\",\"\\\"a\\\"\"}"),
        new("text[]", "{NULL,\"NULL\",\"\",\"a \\\"b\\\", {c}\\\\\",\" \"}"),
        new("numeric[]", "{NaN,1.50,-Infinity}"),
        new("boolean[]", "{t,NULL,f}"),
        new("bytea[]", "{\"\\\\x00ff\",NULL,\"\\\\x\"}"),
        new("uuid[]", "{00000000-0000-0000-0000-000000000000}"),
        new("date[]", "{infinity,\"0044-03-15 BC\"}"),
        new("timestamptz[]", "{-infinity,\"2026-02-01 12:00:00+00\",\"294276-12-31 23:59:59+00\"}"),
        new("interval[]", "{\"-1 day\",NULL,\"1 mon -1 day\"}"),
        new("box[]", "{(1,1),(0,0);(2,2),(1,1)}"),
        new("mood[]", "{\"so \\\"so\\\"\",NULL}") { Base = "public.mood[]" },
        new("pair[]", "{\"(1,\\\"a, b\\\")\",NULL}") { Base = "public.pair[]" },
        new("tstzrange[]", "{\"[\\\"2026-01-01 00:00:00+00\\\",infinity]\"}"),
    ];

    /// <summary>The name of a column: by its place.</summary>
    public static string NameOf(int column) => $"c{column}";

    /// <summary>Rows of the table.</summary>
    public static int Rows { get; } = Columns.Max(column => column.Values.Length) + 1;

    /// <summary>Makes a table <c>(id bigint primary key, c0 …)</c>.</summary>
    public static string Create(string table) =>
        $"CREATE TABLE {table} (id bigint PRIMARY KEY, "
        + $"{string.Join(", ", Columns.Select((column, i) => $"{NameOf(i)} {column.Type}"))});";

    /// <summary>Fills it: each row has the next value of each column, and the last has none.</summary>
    public static string Fill(string table) => string.Concat(Enumerable.Range(0, Rows).Select(row =>
        $"INSERT INTO {table} VALUES ({row}, {string.Join(", ", Columns.Select(column => row < column.Values.Length ? $"'{column.Values[row].Replace("'", "''", StringComparison.Ordinal)}'" : "NULL"))});\n"));

    /// <summary>Names each value that is another one in a copy of the table.</summary>
    public static string Differences(string table, string copy, bool isJson) =>
        string.Join(
            "\nUNION ALL\n",
            Columns.Select((column, i) => (column, i)).Where(each => each.column.IsWholeInJson || !isJson).Select(each =>
                $"SELECT '{each.column.Type.Replace("'", "", StringComparison.Ordinal)} ' || a.id || ': ' || "
                + $"left(a.{NameOf(each.i)}::text, 100) || ' <> ' || coalesce(left(b.{NameOf(each.i)}::text, 100), 'NULL') FROM "
                + $"{table} a LEFT JOIN {copy} b USING (id) WHERE b.id IS NULL OR a.{NameOf(each.i)}::text IS DISTINCT FROM "
                + $"b.{NameOf(each.i)}::text"));

    private static string Nested(string open, string inner, string close) =>
        string.Concat(Enumerable.Repeat(open, Levels)) + inner + string.Concat(Enumerable.Repeat(close, Levels));
}
