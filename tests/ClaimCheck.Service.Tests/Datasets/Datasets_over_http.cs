using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class Datasets_over_http : IAsyncLifetime, IDisposable
{
    private readonly DatasetScene scene = new();
    private WebApplication app = null!;
    private HttpClient http = null!;

    public async Task InitializeAsync()
    {
        scene
            .With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync())
            .With("ConnectionStrings:away", "Host=127.0.0.1;Port=1;Username=x;Database=x")
            .With("ClaimCheck:PublicUrl", "https://claims.example/")
            .Define(
                "orders",
                """
                { "title": "Orders", "source": "shop", "key": "id", "schemaVersion": 4, "retention": "PT36H",
                  "parameters": { "since": { "type": "timestamptz", "required": false }, "a": { "type": "int" } },
                  "delivery": { "consumers": ["billing"], "within": "PT240M" } }
                """,
                "select 1::bigint as id, 'x' as name where now() > :since and :a = 1 order by id")
            .Define("gone", """{ "source": "away", "key": "id" }""", "select 1 as id")
            .Define("zebras", """{ "source": "shop", "key": "id" }""", "select 1 as id");
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddConfiguration(scene.Configuration);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<PublicAddress>()
            .AddSingleton(services => ProblemCatalogue.Under(services.GetRequiredService<PublicAddress>()));
        builder.Services.ConfigureHttpJsonOptions(options => ClaimCheckJson.Configure(options.SerializerOptions));
        builder.AddSources().AddDatasets();
        app = builder.Build();
        app.MapDatasets();
        await app.Services.GetRequiredService<DatasetCatalog>().ReloadAsync(all: true, CancellationToken.None);
        await app.StartAsync();
        http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public void Dispose() => http.Dispose();

    public async Task DisposeAsync()
    {
        await app.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task A_dataset_says_what_can_be_exported()
    {
        var orders = await http.GetFromJsonAsync<JsonElement>("/v1/datasets/orders");

        Assert.Equal(
            """{"since":{"type":"timestamptz","required":false},"a":{"type":"integer","required":true}}""",
            orders.GetProperty("parameters").GetRawText());
        var info = orders.Deserialize<DatasetInfo>(ClaimCheckJson.Options)!;
        Assert.Equal(("orders", "Orders", 4, "id", "id"), (info.Name, info.Title, info.SchemaVersion, info.Key, info.OrderedBy));
        Assert.Equal([new("id", "bigint", true), new("name", "text", true)], info.Columns);
        Assert.Equal(["csv", "ndjson"], info.Formats);
        Assert.Equal(["gzip", "none"], info.Compressions);
        Assert.Equal(("PT1H", "P1DT12H"), (info.LinkLifetime, info.Retention));
        Assert.Equal(["billing"], info.Delivery!.Consumers);
        Assert.Equal("PT4H", info.Delivery.Within);
        Assert.True(info.Available);
        Assert.Equal("object", info.RecordSchema!.Value.GetProperty("type").GetString());
        Assert.Equal("https://claims.example/v1/datasets/orders", info.Links.Self);
        Assert.Equal("https://claims.example/v1/exports?dataset=orders", info.Links.Exports);
    }

    [Fact]
    public async Task A_dataset_whose_source_is_away_is_listed_as_unavailable()
    {
        var gone = await http.GetFromJsonAsync<DatasetInfo>("/v1/datasets/gone", ClaimCheckJson.Options);

        Assert.False(gone!.Available);
        Assert.Equal("source_unavailable", gone.Unavailable!.Code);
        Assert.StartsWith("The source away can't be used now. The server's machine refused the connection",
            gone.Unavailable.Detail, StringComparison.Ordinal);
        Assert.Null(gone.Columns);
        Assert.Null(gone.RecordSchema);
    }

    [Fact]
    public async Task Datasets_are_paged_by_name()
    {
        var first = (await http.GetFromJsonAsync<Page<DatasetInfo>>("/v1/datasets?limit=2", ClaimCheckJson.Options))!;
        var second = (await http.GetFromJsonAsync<Page<DatasetInfo>>(
            $"/v1/datasets?limit=2&cursor={first.NextCursor}", ClaimCheckJson.Options))!;

        Assert.Equal(["gone", "orders"], first.Items.Select(dataset => dataset.Name));
        Assert.Equal(["zebras"], second.Items.Select(dataset => dataset.Name));
        Assert.Null(second.NextCursor);
    }

    [Theory]
    [InlineData("/v1/datasets?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("/v1/datasets?limit=1001", HttpStatusCode.BadRequest)]
    [InlineData("/v1/datasets?limit=x", HttpStatusCode.BadRequest)]
    [InlineData("/v1/datasets?cursor=!", HttpStatusCode.BadRequest)]
    [InlineData("/v1/datasets/none", HttpStatusCode.NotFound)]
    [InlineData("/v1/datasets/Orders", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_refused(string path, HttpStatusCode expected)
    {
        using var answer = await http.GetAsync(path);
        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("/v1/datasets")]
    [InlineData("/v1/datasets/orders")]
    public async Task HEAD_works_where_GET_does(string path)
    {
        using var answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
