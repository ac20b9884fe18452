using System.Text;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>Operations are read as strictly as datasets, and checked against their target at start.</summary>
public sealed class Definitions_of_operations
{
    private const string Item = "UPDATE orders SET status = :status WHERE id = :id";
    private const string Whole = """ "target": "source", "form": "item", "key": "id", "parameters": { "id": { "type": "text" }, "status": { "type": "text" } } """;

    [Theory]
    [InlineData("""{ "form": "item", "key": "id", "parameters": { "id": { "type": "text" } } }""", Item, "target is missing")]
    [InlineData("""{ "target": "source", "form": "rows", "key": "id", "parameters": { "id": { "type": "text" } } }""", Item, "form must be one of item, set")]
    [InlineData("{" + Whole + """, "chunk": 0 }""", Item, "chunk must be an integer from 1 to 10000")]
    [InlineData("{" + Whole + """, "chunks": 7 }""", Item, "there is no field chunks")]
    [InlineData("{" + Whole + """, "atomicity": "none" }""", Item, "atomicity must be one of item, chunk, job")]
    [InlineData("{" + Whole + "}", "SELECT 1", "it does not begin with UPDATE or INSERT or DELETE or MERGE or WITH")]
    [InlineData("{" + Whole + "}", "UPDATE orders SET status = :status", "parameters declares id, which the statement does not use")]
    [InlineData("{" + Whole + "}", Item + " AND :other", "the statement uses :other, which parameters does not declare")]
    [InlineData("{" + Whole + "}", Item + "; DELETE FROM orders", "it has more than one statement")]
    [InlineData("""{ "target": "source", "form": "set", "key": "id", "parameters": { "id": { "type": "text" } } }""", "UPDATE orders SET status = :id", "a statement of form set reads its items from the relation items(ordinal, id)")]
    [InlineData("""{ "target": "source", "form": "item", "key": "other", "parameters": { "id": { "type": "text" } } }""", "DELETE FROM orders WHERE id = :id", "key is other, which parameters does not declare")]
    public void What_can_t_be_used_is_refused_with_the_reason(string json, string sql, string reason) =>
        Assert.Contains(reason, Assert.ThrowsAny<FormatException>(() => OperationReader.Read("name", Encoding.UTF8.GetBytes(json), sql)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("item", "UPDATE orders SET status = :status WHERE nothing = :id", "nothing")]
    [InlineData("item", Item + " RETURNING id", "leave RETURNING out")]
    [InlineData("set", "UPDATE orders o SET status = i.status FROM items i WHERE o.id = i.id", "RETURNING i.ordinal")]
    [InlineData("set", "UPDATE orders o SET status = i.state FROM items i WHERE o.id = i.id RETURNING i.ordinal", "state")]
    public async Task What_does_not_fit_its_target_stops_the_start_with_one_line(string form, string sql, string reason)
    {
        await using var scene = await JobScene.CreateAsync(1);
        scene.AddOperation("odd", form, sql);
        var (code, output) = await ServiceProcess.RunAsync(scene.Scene.Settings, "http://127.0.0.1:0");
        Assert.Equal(1, code);
        var line = output.Split('\n').Single(line => line.StartsWith("claimcheck: ", StringComparison.Ordinal));
        Assert.StartsWith("claimcheck: operations/odd.json: ", line, StringComparison.Ordinal);
        Assert.Contains(reason, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shipped_operation_runs_over_the_sample_database()
    {
        var data = Directory.CreateTempSubdirectory("claimcheck-shipped-").FullName;
        try
        {
            var catalog = await PostgresServer.NewDatabaseAsync();
            await using var service = await ServiceProcess.StartAsync(new Dictionary<string, string>
            {
                ["ConnectionStrings__Catalog"] = catalog,
                ["ClaimCheck__DataDirectory"] = data,
                ["ClaimCheck__Sample__Orders"] = "10",
                ["ClaimCheck__Sample__Database"] = "sample_of_jobs",
            });
            using var http = service.NewHttp();
            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
                http, "", """{ "operation": "update_orders_status", "items": [ { "id": 1, "status": "shipped" }, { "id": 99, "status": "shipped" } ] }""", "application/json"));
            Assert.Equal((1, 1, null), (job.Succeeded, job.Failed, job.Failure));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
