using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class The_sample_database : IAsyncLifetime, IAsyncDisposable
{
    // One of its own: another test may want another number of orders.
    private readonly string name = $"sample_{Guid.NewGuid():N}";
    private readonly DatasetScene scene = new();
    private string catalog = "";

    public async Task InitializeAsync()
    {
        scene.With("ClaimCheck:Datasets", null).With("ClaimCheck:Sample:Orders", "5000").With("ClaimCheck:Sample:Database", name);
        catalog = await PostgresServer.NewDatabaseAsync();
    }

    public async Task DisposeAsync()
    {
        await using var connection = new NpgsqlConnection(catalog);
        await connection.ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await scene.DisposeAsync();
    }

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public async Task Replicas_that_start_at_once_make_it_once()
    {
        var replicas = Enumerable.Range(0, 4).Select(_ => scene.Sources()).ToList();

        await Task.WhenAll(replicas.Select(sources => scene.Sample(sources).EnsureAsync(catalog, null, CancellationToken.None)));

        Assert.Single(scene.Logged, line => line.Contains("is created, with 5000 orders", StringComparison.Ordinal));
        foreach (var sources in replicas)
            Assert.Equal(5000, await CountAsync(sources));
    }

    [Fact]
    public async Task The_shipped_dataset_can_be_exported_from_it_in_the_order_of_its_key()
    {
        var sources = scene.Sources();
        await scene.Sample(sources).EnsureAsync(catalog, null, CancellationToken.None);
        var datasets = scene.Catalog(sources);
        await datasets.ReloadAsync(all: true, CancellationToken.None);
        var orders = datasets.Find("orders")!;

        var frozen = (await orders.FreezeAsync(CancellationToken.None)).Frozen!;
        var none = SourceQuery.Render(frozen.Sql, frozen.Parameters, CriteriaBinder.Bind(orders.Definition!, null).Canonical);
        await using var connection = await sources.Get("sample").OpenConnectionAsync();
        var plan = (await connection.QueryAsync<string>("EXPLAIN (COSTS OFF) " + none)).ToList();

        Assert.Equal(("Orders", "id", "id"), (orders.Definition!.Title, frozen.Key, frozen.OrderedBy));
        Assert.Equal(
            ["id", "customer", "status", "amount", "currency", "note", "created_at"],
            frozen.Columns.Select(column => column.Name));
        Assert.False(frozen.Columns[0].Nullable);
        Assert.True(frozen.Columns[5].Nullable);
        Assert.Equal(["Index Scan using orders_pkey on orders"], plan);
    }

    [Fact]
    public async Task Another_number_of_orders_makes_it_anew_and_the_same_number_does_not()
    {
        var sources = scene.Sources();
        await scene.Sample(sources).EnsureAsync(catalog, null, CancellationToken.None);
        var first = await TableAsync(sources);

        await scene.Sample(scene.Sources()).EnsureAsync(catalog, null, CancellationToken.None);
        Assert.Equal(first, await TableAsync(sources));

        scene.With("ClaimCheck:Sample:Orders", "0");
        await scene.Sample(scene.Sources()).EnsureAsync(catalog, null, CancellationToken.None);
        Assert.NotEqual(first, await TableAsync(sources));
        Assert.Equal(0, await CountAsync(sources));
    }

    [Fact]
    public async Task It_holds_what_breaks_careless_readers()
    {
        var sources = scene.Sources();
        await scene.Sample(sources).EnsureAsync(catalog, null, CancellationToken.None);
        await using var connection = await sources.Get("sample").OpenConnectionAsync();

        var notes = (await connection.QueryAsync<string?>("SELECT DISTINCT note FROM orders")).ToHashSet(StringComparer.Ordinal);

        foreach (var awkward in new[] { null, "", "\\.", "\\N", "\"", "\n", "two\r\nlines", "a\ttab", "🎁 for 👩‍👩‍👧",
            "  blanks around  ", "NULL" })
            Assert.Contains(awkward, notes);
        Assert.Equal(1, await connection.ExecuteScalarAsync<long>("SELECT min(id) FROM orders"));
    }

    [Theory]
    [InlineData("ClaimCheck:Datasets", "/somewhere/else")]
    [InlineData("ConnectionStrings:sample", "Host=127.0.0.1;Port=1")]
    public async Task It_is_not_made_where_something_else_is_configured(string setting, string value)
    {
        scene.With(setting, value);

        await scene.Sample(scene.Sources()).EnsureAsync("Host=127.0.0.1;Port=1", null, CancellationToken.None); // no one is asked

        Assert.Empty(scene.Logged);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("100000001")]
    public async Task A_number_of_orders_that_is_none_stops_the_start(string orders)
    {
        scene.With("ClaimCheck:Sample:Orders", orders);

        var refusal = await Assert.ThrowsAsync<StartupException>(
            () => scene.Sample(scene.Sources()).EnsureAsync("Host=127.0.0.1;Port=1", null, CancellationToken.None));

        Assert.StartsWith($"ClaimCheck:Sample:Orders is {orders}, but must be", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sample")]
    [InlineData("a;drop database b")]
    public async Task A_name_that_needs_quotes_stops_the_start(string wanted)
    {
        scene.With("ClaimCheck:Sample:Database", wanted);

        var refusal = await Assert.ThrowsAsync<StartupException>(
            () => scene.Sample(scene.Sources()).EnsureAsync("Host=127.0.0.1;Port=1", null, CancellationToken.None));

        Assert.StartsWith($"ClaimCheck:Sample:Database is {wanted}, but must be", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_that_may_not_create_it_leaves_the_dataset_unavailable_and_the_service_going()
    {
        var role = $"role_{Guid.NewGuid():N}";
        await using (var administrator = new NpgsqlConnection(catalog))
            await administrator.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        var sources = scene.Sources();

        await scene.Sample(sources).EnsureAsync(
            new NpgsqlConnectionStringBuilder(catalog) { Username = role, Password = "secret" }.ConnectionString,
            null,
            CancellationToken.None);
        var datasets = scene.Catalog(sources);
        await datasets.ReloadAsync(all: true, CancellationToken.None);

        Assert.False((await datasets.Find("orders")!.ProbeAsync(CancellationToken.None)).IsAvailable);
        Assert.Single(scene.Logged, line => line.StartsWith(
            $"Warning: The sample database {name} can't be created, and the shipped datasets are unavailable (permission denied",
            StringComparison.Ordinal));
    }

    private static async Task<long> CountAsync(SourceDatabases sources)
    {
        await using var connection = await sources.Get("sample").OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM orders");
    }

    private static async Task<uint> TableAsync(SourceDatabases sources)
    {
        await using var connection = await sources.Get("sample").OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<uint>("SELECT 'orders'::regclass::oid");
    }
}
