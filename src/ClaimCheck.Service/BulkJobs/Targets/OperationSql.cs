namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>The functions that a target session creates for itself, in pg_temp, so that a chunk is one round trip and the server
/// plans the statement once. Values travel as text in Postgres' own form, and are cast there; nothing a caller sent becomes part
/// of a statement. Names begin with claimcheck_, which an operator's statement does not use.</summary>
internal static class OperationSql
{
    // For the second pass: the size of the first groups of a chunk that failed. Small enough that a bad item costs its neighbours
    // little, large enough that subtransactions stay few.
    private const int Group = 32;

    // And the size of the smaller groups, before single items.
    private const int Few = 4;

    // Failures of the database itself and not of an item: they end the pass. One huge value may need all memory.
    private const string Rethrown = "SQLSTATE ~ '^(08|53|57|58|25|CC)' AND SQLSTATE <> '53200'";

    // May be the item's fault (row security, what a trigger calls) or the definition's: where any item passes, those that fail
    // are at fault themselves.
    private const string Unsure = "^(42|0A|26|XX|F0|53200)";

    /// <summary>The statement with its parameters as <c>$1, $2, …</c> or, for form set, over typed empty items: for
    /// checking.</summary>
    public static string Probe(Operation operation) =>
        operation.IsSet
            ? WithItems(operation, "SELECT 1 AS ordinal, "
                + string.Join(
                    ", ", operation.Parameters.Select(parameter => $"NULL::{parameter.Type} AS {Quote(parameter.Name)}")))
            : Substitute(operation, (_, parameter) => $"CAST(NULL AS {parameter.Type})");

    /// <summary>All functions of a session.</summary>
    public static IReadOnlyList<string> Functions(Operation operation)
    {
        var count = operation.Parameters.Count;
        var arrays = Each(count, i => $"claimcheck_{i} text[]");
        string Slice(string from, string to) => $"claimcheck_o[{from}:{to}], {Each(count, i => $"claimcheck_{i}[{from}:{to}]")}";
        var arguments = "claimcheck_job uuid, claimcheck_round integer, claimcheck_chunk bigint, claimcheck_strict boolean, "
            + $"claimcheck_ends integer[], claimcheck_o integer[], {arrays}";
        const string note = """
              IF claimcheck_job IS NOT NULL THEN
                INSERT INTO claimcheck.applied_chunks (job_id, round, chunk)
                VALUES (claimcheck_job, claimcheck_round, claimcheck_chunk) ON CONFLICT DO NOTHING;
                IF NOT FOUND THEN RETURN NULL; END IF;
              END IF;
            """;
        return [Kernel(operation, $"claimcheck_o integer[], {arrays}"), Unread(operation), $$"""
            -- The first pass: no exception block. Strict: an item that is not found fails them all.
            CREATE OR REPLACE FUNCTION pg_temp.claimcheck_apply({{arguments}}) RETURNS integer[] LANGUAGE plpgsql AS $claimcheck$
            DECLARE
              claimcheck_from integer := 1;
              claimcheck_end integer;
              claimcheck_missing integer[] := '{}';
            BEGIN
            {{note}}
              FOREACH claimcheck_end IN ARRAY claimcheck_ends LOOP
                claimcheck_missing := claimcheck_missing
                  || pg_temp.claimcheck_run({{Slice("claimcheck_from", "claimcheck_end")}});
                claimcheck_from := claimcheck_end + 1;
              END LOOP;
              IF claimcheck_missing <> '{}' THEN
                IF claimcheck_strict THEN RAISE EXCEPTION USING ERRCODE = 'CC001', MESSAGE = 'not found'; END IF;
                IF claimcheck_job IS NOT NULL THEN
                  UPDATE claimcheck.applied_chunks SET not_found = claimcheck_missing
                   WHERE job_id = claimcheck_job AND round = claimcheck_round AND chunk = claimcheck_chunk;
                END IF;
              END IF;
              RETURN claimcheck_missing;
            END $claimcheck$;
            """, $$"""
            -- The second pass: groups, within a failed group a few items at a time, and within these single items. Strict: where
            -- no item passes and the definition may be at fault, no item is failed.
            CREATE OR REPLACE FUNCTION pg_temp.claimcheck_sift({{arguments}},
              OUT claimcheck_missing integer[], OUT claimcheck_failed integer[], OUT claimcheck_states text[],
              OUT claimcheck_names text[])
            RETURNS record LANGUAGE plpgsql AS $claimcheck$
            DECLARE
              claimcheck_from integer := 1;
              claimcheck_end integer;
              claimcheck_to integer;
              claimcheck_i integer;
              claimcheck_j integer;
              claimcheck_constraint text;
              claimcheck_column text;
              claimcheck_unread text;
              claimcheck_passed boolean := false;
            BEGIN
              -- Many items that wait for locks must not wait for each of them as long as the first pass has.
              PERFORM set_config('lock_timeout', '200ms', true);
              SET CONSTRAINTS ALL IMMEDIATE;
            {{note.Replace("RETURN NULL", "RETURN", StringComparison.Ordinal)}}
              claimcheck_missing := '{}'; claimcheck_failed := '{}'; claimcheck_states := '{}'; claimcheck_names := '{}';
              FOREACH claimcheck_end IN ARRAY claimcheck_ends LOOP
                WHILE claimcheck_from <= claimcheck_end LOOP
                  claimcheck_to := least(claimcheck_from + {{Group - 1}}, claimcheck_end);
                  BEGIN
                    claimcheck_missing := claimcheck_missing
                      || pg_temp.claimcheck_run({{Slice("claimcheck_from", "claimcheck_to")}});
                    claimcheck_passed := true;
                  EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
                    IF {{Rethrown}} THEN RAISE; END IF;
                    claimcheck_i := claimcheck_from;
                    WHILE claimcheck_i <= claimcheck_to LOOP
                      claimcheck_j := least(claimcheck_i + {{Few - 1}}, claimcheck_to);
                      BEGIN
                        claimcheck_missing := claimcheck_missing
                          || pg_temp.claimcheck_run({{Slice("claimcheck_i", "claimcheck_j")}});
                        claimcheck_passed := true;
                      EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
                        IF {{Rethrown}} THEN RAISE; END IF;
                        FOR claimcheck_k IN claimcheck_i..claimcheck_j LOOP
                          BEGIN
                            claimcheck_missing := claimcheck_missing
                              || pg_temp.claimcheck_run({{Slice("claimcheck_k", "claimcheck_k")}});
                            claimcheck_passed := true;
                          EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
                            IF {{Rethrown}} THEN RAISE; END IF;
                            GET STACKED DIAGNOSTICS claimcheck_constraint = CONSTRAINT_NAME, claimcheck_column = COLUMN_NAME;
                            claimcheck_failed := claimcheck_failed || claimcheck_o[claimcheck_k];
                            claimcheck_unread := CASE WHEN SQLSTATE ~ '^22'
                              THEN pg_temp.claimcheck_unread({{Each(count, i => $"claimcheck_{i}[claimcheck_k]")}}) END;
                            claimcheck_states := claimcheck_states
                              || CASE WHEN claimcheck_unread IS NULL THEN SQLSTATE ELSE '{{TargetErrors.Unread}}' END;
                            claimcheck_names := claimcheck_names
                              || coalesce(claimcheck_unread, nullif(claimcheck_constraint, ''), claimcheck_column, '');
                          END;
                        END LOOP;
                      END;
                      claimcheck_i := claimcheck_j + 1;
                    END LOOP;
                  END;
                  claimcheck_from := claimcheck_to + 1;
                END LOOP;
              END LOOP;
              IF claimcheck_strict AND NOT claimcheck_passed THEN
                FOR claimcheck_i IN 1..cardinality(claimcheck_states) LOOP
                  IF claimcheck_states[claimcheck_i] ~ '{{Unsure}}' THEN
                    RAISE EXCEPTION USING ERRCODE = claimcheck_states[claimcheck_i], MESSAGE = 'no item passes';
                  END IF;
                END LOOP;
              END IF;
              IF claimcheck_job IS NOT NULL THEN
                UPDATE claimcheck.applied_chunks
                   SET not_found = claimcheck_missing, failed = claimcheck_failed, states = claimcheck_states,
                       names = claimcheck_names
                 WHERE job_id = claimcheck_job AND round = claimcheck_round AND chunk = claimcheck_chunk;
              END IF;
            END $claimcheck$;
            """];
    }

    // Names the parameter whose value this server can't read as its type; NULL where all can be read.
    private static string Unread(Operation operation) => $"""
        CREATE OR REPLACE FUNCTION pg_temp.claimcheck_unread({Each(operation.Parameters.Count, i => $"claimcheck_{i} text")})
        RETURNS text LANGUAGE plpgsql AS $claimcheck$
        BEGIN
        {string.Join('\n', operation.Parameters.Select((parameter, i) =>
            $"  BEGIN PERFORM claimcheck_{i}::{parameter.Type}; "
            + $"EXCEPTION WHEN data_exception THEN RETURN '{parameter.Name}'; END;"))}
          RETURN NULL;
        END $claimcheck$;
        """;

    // Applies a range of items, and returns those that touched nothing.
    private static string Kernel(Operation operation, string arguments)
    {
        var parameters = operation.Parameters;
        var unnested = $"unnest(claimcheck_o, {Each(parameters.Count, i => $"claimcheck_{i}")}) AS claimcheck_u (o, "
            + $"{Each(parameters.Count, i => $"v{i}")})";
        var items = string.Join(
            ", ", parameters.Select((parameter, i) => $"claimcheck_u.v{i}::{parameter.Type} AS {Quote(parameter.Name)}"));
        var values = string.Join(", ", parameters.Select((parameter, i) => $"claimcheck_u.v{i}::{VariableOf(parameter.Type)}"));
        var body = operation.IsSet
            ? $"""
              FOR claimcheck_ordinal IN
            {WithItems(operation, $"SELECT claimcheck_u.o AS ordinal, {items} FROM {unnested}")}
              LOOP
                claimcheck_touched := claimcheck_touched || claimcheck_ordinal;
              END LOOP;
              RETURN ARRAY(SELECT unnest(claimcheck_o) EXCEPT SELECT unnest(claimcheck_touched) ORDER BY 1);
            """
            : $"""
              FOR claimcheck_ordinal, {Each(parameters.Count, i => $"claimcheck_v{i}")} IN
                SELECT claimcheck_u.o, {values} FROM {unnested}
              LOOP
            {Substitute(operation, Variable)}
                ;
                IF NOT FOUND THEN claimcheck_missing := claimcheck_missing || claimcheck_ordinal; END IF;
              END LOOP;
              RETURN claimcheck_missing;
            """;
        var variables = operation.IsSet
            ? "claimcheck_touched integer[] := '{}';"
            : "claimcheck_missing integer[] := '{}'; "
                + string.Join(' ', parameters.Select((parameter, i) => $"claimcheck_v{i} {VariableOf(parameter.Type)};"));
        var tag = Tag(operation.Sql);
        return $"""
            CREATE OR REPLACE FUNCTION pg_temp.claimcheck_run({arguments}) RETURNS integer[] LANGUAGE plpgsql AS {tag}
            #variable_conflict use_column
            DECLARE
              claimcheck_ordinal integer;
              {variables}
            BEGIN
            {body}
            END {tag};
            """;
    }

    // A type that the target defines may be a composite one, which a loop can't read into one of several variables: it stays text
    // until it is used.
    private static string VariableOf(string type) =>
        PostgresType.Of(type) is { Kind: TypeKind.Text, IsPlainText: false } ? "text" : type;

    private static string Variable(int place, Datasets.Dataset.Parameter parameter) =>
        VariableOf(parameter.Type) == parameter.Type ? $"claimcheck_v{place}" : $"(claimcheck_v{place}::{parameter.Type})";

    private static string WithItems(Operation operation, string items)
    {
        var sql = SourceSql.Parse(operation.Sql, "update", "insert", "delete", "merge", "with");
        var words = SourceSqlLexer.Read(sql.Text);
        if (!Is(0, "with"))
            return $"WITH items AS ({items})\n{sql.Text}";
        // The statement's own WITH is appended to ours.
        return Is(1, "recursive")
            ? $"WITH RECURSIVE items AS ({items}),{sql.Text[words[1].End..]}"
            : $"WITH items AS ({items}),{sql.Text[words[0].End..]}";

        bool Is(int place, string word) =>
            sql.Text.AsSpan(words[place].Start, words[place].Length).Equals(word, StringComparison.OrdinalIgnoreCase);
    }

    private static string Substitute(Operation operation, Func<int, Datasets.Dataset.Parameter, string> write)
    {
        var sql = SourceSql.Parse(operation.Sql, "update", "insert", "delete", "merge", "with");
        var text = new StringBuilder();
        var from = 0;
        foreach (var use in sql.Parameters)
        {
            var name = sql.NameOf(use);
            var place = Enumerable.Range(0, operation.Parameters.Count).First(i => operation.Parameters[i].Name == name);
            // The blanks separate it from its neighbours.
            text.Append(sql.Text, from, use.Start - from).Append(' ')
                .Append(write(place, operation.Parameters[place])).Append(' ');
            from = use.End;
        }

        return text.Append(sql.Text, from, sql.Text.Length - from).ToString();
    }

    // A dollar quote that does not occur in the statement.
    private static string Tag(string sql)
    {
        for (var i = 0; ; i++)
        {
            var tag = $"$claimcheck_{i}$";
            if (!sql.Contains(tag, StringComparison.Ordinal))
                return tag;
        }
    }

    private static string Each(int count, Func<int, string> write) => string.Join(", ", Enumerable.Range(0, count).Select(write));

    private static string Quote(string name) => $"\"{name}\"";
}
