using ClaimCheck.Service.Http;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;
using ExportRun = ClaimCheck.Service.Tests.Exporting.ExportRun;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>Row-level security of a source, read with a role that a policy hides rows from.</summary>
public sealed class Policies_that_hide_rows
{
    private const string All = "SELECT id FROM orders ORDER BY id";

    [Fact]
    public async Task A_dataset_that_would_be_a_silent_subset_is_refused_in_one_line_unless_it_says_so()
    {
        var database = await SourceAsync();
        await using var scene = new DatasetScene();
        scene.With("ConnectionStrings:shop", database)
            .Define("orders", """{ "source": "shop", "key": "id" }""", All)
            .Define("some", """{ "source": "shop", "key": "id", "rowSecurity": true }""", All);
        var defined = await scene.LoadAsync();

        var refused = (await defined.Find("orders")!.AskAsync(anew: false, CancellationToken.None))!;
        Assert.Equal("source_row_security", refused.Code);
        Assert.StartsWith("datasets/orders.json: a row-level security policy of table orders hides rows from the role of shop",
            refused.Detail, StringComparison.Ordinal);
        Assert.Contains("\"rowSecurity\": true", refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Detail);
        // The same refusal as for its users.
        var why = Refusals.Unavailable(refused);
        Assert.Equal((refused.Code, refused.Detail), (why.Code, why.Detail));
        Assert.Equal(503, ProblemCatalogue.All.Single(problem => problem.Code == why.Code).Status);
        Assert.Null(await defined.Find("some")!.AskAsync(anew: false, CancellationToken.None));
    }

    [Fact]
    public async Task A_policy_that_only_the_run_meets_fails_the_export_and_one_that_is_allowed_is_told_in_the_manifest()
    {
        var database = await SourceAsync();
        await using (var run = await ExportRun.OnAsync(database))
        {
            // Made between the check and the run, or met inside a function.
            var refusal = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync("SELECT id FROM hidden() id"));
            Assert.Equal(("source_row_security", false), (refusal.Code, refusal.IsTransient));
            run.RowSecurity = true;
            Assert.Equal("\"1\"\n", await run.TextAsync("SELECT id FROM hidden() id"));
        }

        await using var scene = await Scene.CreateAsync(1);
        scene.Settings["ConnectionStrings__shop"] = database;
        scene.AddDataset("some", All);
        File.WriteAllText(
            Path.Combine(scene.Datasets, "some.json"), """{ "source": "shop", "key": "id", "rowSecurity": true }""");
        using var http = new ApiClient((await scene.StartServiceAsync()).NewHttp());
        var some = (await http.GetAsync(
            $"/v1/batches/{(await http.ReadyAsync("""{ "dataset": "some" }""")).Text("batchId")}/manifest")).Json;
        Assert.Equal((true, 1), (some.GetProperty("rowSecurity").GetBoolean(), some.GetProperty("records").GetInt64()));
        var whole = (await http.GetAsync(
            $"/v1/batches/{(await http.ReadyAsync("""{ "dataset": "items" }""")).Text("batchId")}/manifest")).Json;
        Assert.False(whole.TryGetProperty("rowSecurity", out _));
    }

    // Two rows, of which the role sees one.
    private static async Task<string> SourceAsync()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var role = $"reader_{Guid.NewGuid():N}";
        await Scene.SqlAsync(
            database,
            $"""
            CREATE TABLE orders (id int PRIMARY KEY);
            INSERT INTO orders VALUES (1), (2);
            ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
            CREATE POLICY one ON orders USING (id = 1);
            CREATE FUNCTION hidden() RETURNS SETOF int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY SELECT o.id FROM orders o ORDER BY o.id; END $$;
            CREATE ROLE {role} LOGIN;
            GRANT SELECT ON orders TO {role};
            """);
        return new NpgsqlConnectionStringBuilder(database) { Username = role }.ConnectionString;
    }
}
