using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Schedules;

/// <summary>Classes of this collection run one after another over the same process.</summary>
[CollectionDefinition(Name)]
public sealed class ScheduleTests : ICollectionFixture<ScheduleService>
{
    public const string Name = "schedules";
}

/// <summary>A real service, and ways to move its schedules' clocks: time is the catalog's, and so are the schedules.</summary>
public sealed class ScheduleService : IAsyncLifetime
{
    internal ApiClient Http { get; private set; } = null!;

    internal Scene Scene { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Scene = await Scene.CreateAsync();
        await Scene.SqlAsync(
            Scene.Source,
            "CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())");
        Scene.AddDataset(
            "entries", "SELECT id FROM entries WHERE (:since IS NULL OR at >= :since) ORDER BY id",
            """, "parameters": { "since": { "type": "timestamptz", "required": false } }""");
        Scene.AddDataset(
            "timed", "SELECT 1::bigint AS id, :since AS a, :day AS b, :local AS c, :name AS d, :must AS e",
            """
            , "parameters": { "since": { "type": "timestamptz", "required": false }, "day": { "type": "date", "required": false },
              "local": { "type": "timestamp", "required": false }, "name": { "type": "text", "required": false },
              "must": { "type": "timestamptz", "required": true } }
            """);
        Scene.AddDataset("endless", "SELECT 1::bigint AS id FROM pg_sleep(600)");
        Scene.AddDataset("bad", "SELECT id FROM nothing");
        Scene.AddDataset("away", "SELECT 1 AS id");
        await File.WriteAllTextAsync(Path.Combine(Scene.Datasets, "away.json"), """{ "source": "away", "key": "id" }""");
        Scene.Settings["ConnectionStrings__away"] = "Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=2";
        Scene.Settings["ClaimCheck__Schedules__MostQueued"] = "2";
        Scene.Settings["ClaimCheck__Schedules__SourcePatience"] = "00:00:00";
        Scene.Settings["ClaimCheck__Exporting__Parallelism"] = "6";
        Http = new((await Scene.StartServiceAsync()).NewHttp());
    }

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        await Scene.DisposeAsync();
    }

    /// <summary>A schedule that never fires by itself while the tests run, under a name of its own.</summary>
    internal async Task<string> NewAsync(string export, string more = "")
    {
        var name = $"s-{Guid.NewGuid():N}"[..20];
        var put = await PutAsync(name, $$"""{ "cron": "0 0 0 1 1 ?", "timeZone": "UTC", "export": {{export}}{{more}} }""");
        Assert.True(put.Status == 201, put.Text);
        return name;
    }

    internal Task<Answer> PutAsync(string name, string json, params (string Name, string Value)[] headers) =>
        Http.SendAsync("PUT", $"/v1/schedules/{name}", ApiClient.Json(System.Text.Encoding.UTF8.GetBytes(json)), headers);

    /// <summary>As if it were to fire every day one hour from now, and the service had been stopped for this many days.</summary>
    internal Task MissAsync(string name, int days) => Scene.SqlAsync(
        Scene.Catalog,
        $"""
        UPDATE schedules
           SET cron = format('0 %s %s * * ?', extract(minute FROM now() AT TIME ZONE 'UTC'), extract(hour FROM (now() + interval '1 hour') AT TIME ZONE 'UTC')),
               version = gen_random_uuid(), next_fire_at = date_trunc('minute', now() + interval '1 hour') - interval '{days} days', try_at = now()
         WHERE name = '{name}'
        """);

    internal async Task<JsonElement[]> RunsAsync(string name) => (await Http.GetAsync($"/v1/schedules/{name}/runs")).Items();

    /// <summary>Waits until the latest run's export is settled.</summary>
    internal async Task<JsonElement> SettledAsync(string name, int runs = 1)
    {
        var settled = default(JsonElement);
        await Eventually.TrueAsync(async () =>
        {
            var all = await RunsAsync(name);
            if (all.Length < runs || all[0].Text("exportState") is not { } state || !ExportState.IsSettled(state))
                return false;
            settled = all[0];
            return true;
        });
        return settled;
    }

    /// <summary>Runs it now, and waits for its export.</summary>
    internal async Task<JsonElement> RunAsync(string name)
    {
        var before = (await RunsAsync(name)).Length;
        var asked = await Http.PostAsync($"/v1/schedules/{name}/run", "{}");
        Assert.True(asked.Status == 202, asked.Text);
        return await SettledAsync(name, before + 1);
    }
}
