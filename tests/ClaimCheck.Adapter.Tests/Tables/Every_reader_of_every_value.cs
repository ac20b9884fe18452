using System.Text;
using System.Text.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Records;
using ClaimCheck.Testing;
using Npgsql;
using NpgsqlTypes;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>
/// What the service writes of every type's edge values is read as those values by each of its readers: the consumer library,
/// uploads, bulk jobs (inline, as a body, by a claim), imports, and tables of the adapter. The database's
/// own text is the measure.
/// </summary>
public sealed class Every_reader_of_every_value
{
    [Fact]
    public async Task Takes_it_for_what_it_is()
    {
        await using var scene = await ValueScene.CreateAsync();
        foreach (var format in (string[])["csv", "ndjson"])
        {
            var (batch, data) = await scene.ExportAsync(format);
            await scene.SameAsync("The adapter's table", format);

            using var reader = new BatchReader(scene.Adapter.Client);
            await CopyAsync(scene.Database, reader, batch);
            await scene.SameAsync("The consumer", format);

            var upload = await scene.UploadAsync(await scene.Adapter.Client.GetManifestAsync(batch), data);
            Assert.Equal(data, await scene.DataAsync(upload));

            var text = Encoding.UTF8.GetString(data);
            await scene.ApplyAsync(text, format == "csv" ? "text/csv" : "application/x-ndjson");
            await scene.SameAsync("A job's body", format);
            await scene.ApplyAsync($$"""{ "operation": "copy", "claim": "{{scene.ClaimOf(batch)}}" }""", "application/json");
            await scene.SameAsync("A job's claim", format);
            if (format == "ndjson")
            {
                await scene.ApplyAsync(
                    $$"""{ "operation": "copy", "items": [{{text.TrimEnd('\n').Replace('\n', ',')}}] }""", "application/json");
                await scene.SameAsync("A job's items", format);
            }

            await scene.ImportAsync(format, data);
            await scene.SameAsync("An import", format);
        }
    }

    // As a handler of one's own would: by the types that .NET has, and by the text that Postgres reads.
    private static async Task CopyAsync(string database, BatchReader reader, BatchId batch)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await foreach (var record in reader.ReadRecordsAsync(batch))
        {
            var insert = new NpgsqlCommand { Connection = connection };
            insert.Parameters.Add(new() { Value = record.Get<long>("id") });
            var values = new StringBuilder("$1");
            foreach (var (place, column) in EdgeValues.Columns.Index())
            {
                var (value, cast) = ValueOf(record, EdgeValues.NameOf(place), column.Base);
                insert.Parameters.Add(value switch
                {
                    string text => new() { Value = text, NpgsqlDbType = NpgsqlDbType.Text },
                    TimeSpan time => new() { Value = time, NpgsqlDbType = NpgsqlDbType.Time },
                    _ => new NpgsqlParameter { Value = value ?? DBNull.Value },
                });
                values.Append($", ${place + 2}{(value is string ? "::" + cast : "")}");
            }

#pragma warning disable CA2100 // The test's own text.
            insert.CommandText = $"INSERT INTO copies VALUES ({values})";
#pragma warning restore CA2100
            await insert.ExecuteNonQueryAsync();
        }
    }

    private static (object? Value, string Cast) ValueOf(Consumer.Record record, string name, string type)
    {
        if (record.IsNull(name))
            return (null, type);
        var text = record[name]!;
        return type switch
        {
            "smallint" => (record.Get<short>(name), type),
            "integer" => (record.Get<int>(name), type),
            "bigint" => (record.Get<long>(name), type),
            "real" => (record.Get<float>(name), type),
            "double precision" => (record.Get<double>(name), type),
            "boolean" => (record.Get<bool>(name), type),
            "uuid" => (record.Get<Guid>(name), type),
            "numeric(12,2)" => (record.Get<decimal>(name), type),
            "time" => (record.Get<TimeSpan>(name), type),
            "date" when IsCommon(text) => (record.Get<DateOnly>(name), type),
            "timestamp" or "timestamptz" when IsCommon(text) => (record.Get<DateTime>(name), type),
            "bytea" when record.Columns.First(column => column.Name == name).Type == type => (record.Get<byte[]>(name), type),
            "json" or "jsonb" => (record.Get<JsonElement>(name).GetRawText(), type),
            _ => (PostgresText.OfText(PostgresType.Of(type), text), type),
        };
    }

    // What .NET has, but for the two days that Npgsql takes for the infinities.
    private static bool IsCommon(string text) =>
        !text.StartsWith("0001-01-01", StringComparison.Ordinal) && !text.StartsWith("9999-12-31", StringComparison.Ordinal)
        && text.Length > 4 && char.IsAsciiDigit(text[0]) && text[4] == '-' && !text.EndsWith("BC", StringComparison.Ordinal);
}
