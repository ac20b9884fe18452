using ClaimCheck.Contracts;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.BulkJobs.Jobs;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Publishing.Webhooks;
using ClaimCheck.Service.Tests.Revocation;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>A caller with many requests waits for them, and does not delay others.</summary>
public sealed class Shares_of_callers : IAsyncLifetime
{
    private RevocationLab lab = null!;
    private ExportLeases leases = null!;

    public async Task InitializeAsync()
    {
        lab = await RevocationLab.StartAsync(loops: false);
        leases = lab.Get<ExportLeases>();
    }

    public async Task DisposeAsync() => await lab.DisposeAsync();

    [Fact]
    public async Task The_one_export_of_a_caller_runs_before_the_four_hundred_of_another()
    {
        await AskAsync("many", "items", 400, "1 hour");
        await AskAsync("poison", "items", 50, "-1 hour"); // each waits for its next try
        await AskAsync("poison", "items", 1, "1 second");
        await AskAsync("one", "items", 1, "0 seconds");
        // The administrator in person is everybody who names no consumer: there the dataset stands for the caller.
        await AskAsync("administrator", "first", 100, "30 minutes");
        await AskAsync("administrator", "second", 1, "0 seconds");

        var taken = new List<string>();
        for (var at = 0; at < 8; at++)
            taken.Add(await TakeAsync());

        // Each share has one running before any has two; among equals the one that was served longest ago
        // is first, then the oldest.
        Assert.Equal(
            ["many items", "administrator first", "poison items", "one items", "administrator second", "many items",
                "administrator first", "many items"],
            taken);
    }

    [Fact]
    public async Task One_worker_serves_callers_in_turn_and_each_caller_s_oldest_first()
    {
        await AskAsync("a", "items", 3, "1 hour");
        await AskAsync("b", "items", 3, "30 minutes");

        var taken = new List<ExportPlan>();
        for (var at = 0; at < 6; at++)
        {
            taken.Add((await leases.TakeAsync(default))!);
            await lab.SqlAsync(
                "UPDATE exports SET state = 'failed', ended_at = now() WHERE id = @Value", new { taken[^1].ExportId.Value });
        }

        var order = await lab.QueryAsync<(string Caller, DateTime Due)>(
            "SELECT e.caller, e.next_try_at FROM unnest(@Ids) WITH ORDINALITY t (id, n) JOIN exports e USING (id) ORDER BY n",
            new { Ids = taken.Select(plan => plan.ExportId.Value).ToArray() });
        Assert.Equal("ababab", string.Concat(order.Select(one => one.Caller)));
        Assert.All(order.GroupBy(one => one.Caller), own =>
            Assert.Equal(own.Select(one => one.Due).Order(), own.Select(one => one.Due)));
        Assert.Null(await leases.TakeAsync(default));
    }

    [Fact]
    public async Task More_callers_than_one_look_sees_are_all_served_and_none_twice()
    {
        await lab.SqlAsync(Copy, new
        {
            Id = (await lab.AskAsync()).Id,
            Caller = "caller",
            Dataset = "items",
            Count = 249,
            Age = "1 hour",
            PerCaller = true,
        });

        var taken = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            var ids = new List<Guid>();
            while (await leases.TakeAsync(default) is { } plan)
                ids.Add(plan.ExportId.Value);
            return ids;
        }));

        Assert.Equal(250, taken.Sum(ids => ids.Count));
        Assert.Equal(250, taken.SelectMany(ids => ids).Distinct().Count());
    }

    [Fact]
    public async Task Jobs_too_are_shared_out_and_a_full_operation_holds_no_other_up()
    {
        var jobs = new JobLeases(lab.Catalog, new BulkJobsOptions());
        await JobsAsync("many", "full", 300, 1, "1 hour");
        await JobsAsync("many", "wide", 300, 10, "30 minutes");
        await JobsAsync("one", "wide", 1, 10, "0 seconds");
        await JobsAsync("poison", "wide", 10, 10, "-1 hour");

        var taken = new List<string>();
        for (var at = 0; at < 4; at++)
        {
            var lease = (await jobs.TakeAsync(default))!;
            taken.Add((await lab.QueryAsync<string>(
                "SELECT caller || ' ' || operation FROM bulk_jobs WHERE id = @Value", new { lease.JobId.Value })).Single());
        }

        Assert.Equal(["many full", "one wide", "many wide", "many wide"], taken);
    }

    [Fact]
    public async Task A_webhook_that_always_has_something_due_leaves_room_for_the_others()
    {
        var deliveries = new WebhookDeliveries(lab.Catalog, new WebhookOptions());
        Guid[] hooks = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        await lab.SqlAsync(
            """
            INSERT INTO event_subscriptions (id, consumer, protocol, endpoint) SELECT id, id::text, 'webhook', 'https://hook.example/' || id FROM unnest(@hooks) id;
            INSERT INTO outbox (event_id, batch_id, export_id, tenant, dataset, type, data, traceparent, position)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'default', 'items', 'BulkFailed', '{}', '', g FROM generate_series(1, 20) g;
            INSERT INTO webhook_deliveries (subscription_id, event_id, position, type) SELECT id, event_id, position, type FROM outbox, unnest(@hooks) id
            """,
            new { hooks });
        var running = new Dictionary<Guid, int>();

        // One place becomes free at a time: it goes to the one with the fewest under way.
        for (var at = 0; at < 9; at++)
        {
            var lease = Assert.Single(await deliveries.LeaseAsync(running, 1, default));
            running[lease.SubscriptionId] = running.GetValueOrDefault(lease.SubscriptionId) + 1;
        }

        Assert.Equal([3, 3, 3], hooks.Select(hook => running[hook]));
    }

    private const string Copy = """
        INSERT INTO exports (id, batch_id, tenant, caller, dataset, schema_version, definition, criteria, format, compression, max_file_bytes,
                             link_lifetime, retention, next_try_at)
        SELECT gen_random_uuid(), gen_random_uuid(), tenant, CASE WHEN @PerCaller THEN @Caller || g ELSE @Caller END, @Dataset, schema_version, definition, criteria,
               format, compression, max_file_bytes, link_lifetime, retention, now() - @Age::interval + g * interval '1 millisecond'
          FROM exports, generate_series(1, @Count) g
         WHERE id = @Id
        """;

    private async Task AskAsync(string caller, string dataset, int count, string age)
    {
        var model = await lab.AskAsync();
        await lab.SqlAsync(
            Copy, new { model.Id, Caller = caller, Dataset = dataset, Count = count, Age = age, PerCaller = false });
        await lab.SqlAsync("UPDATE exports SET state = 'cancelled', ended_at = now() WHERE id = @Id", new { model.Id });
    }

    private async Task<string> TakeAsync()
    {
        var plan = (await leases.TakeAsync(default))!;
        return (await lab.QueryAsync<string>(
            "SELECT caller || ' ' || dataset FROM exports WHERE id = @Value", new { plan.ExportId.Value })).Single();
    }

    private Task JobsAsync(string caller, string operation, int count, int concurrency, string age) => lab.SqlAsync(
        """
        INSERT INTO bulk_jobs (id, caller, operation, definition, concurrency, source, ttl, next_try_at)
        SELECT gen_random_uuid(), @caller, @operation, @Definition::json, @concurrency, 'inline', '1 day', now() - @age::interval + g * interval '1 millisecond'
          FROM generate_series(1, @count) g
        """,
        new
        {
            caller,
            operation,
            count,
            concurrency,
            age,
            Definition = System.Text.Json.JsonSerializer.Serialize(
                new
                {
                    name = operation,
                    title = "",
                    target = "source",
                    form = "item",
                    key = "id",
                    chunk = 10,
                    atomicity = "item",
                    delivery = "atLeastOnce",
                    concurrency,
                    parameters = Array.Empty<object>(),
                    sql = "SELECT 1",
                },
                ClaimCheckJson.Options),
        });
}
