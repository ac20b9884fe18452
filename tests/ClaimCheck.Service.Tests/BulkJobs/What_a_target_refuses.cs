using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>A job that fails because of its target says what the target said, and what to do.</summary>
public sealed class What_a_target_refuses
{
    [Fact]
    public async Task Jobs_and_items_say_why()
    {
        await using var scene = await JobScene.CreateAsync(3);
        var way = await PostgresServer.NewSignedRoleAsync(scene.Target, "right");
        await Scene.SqlAsync(
            scene.Target,
            $"GRANT USAGE ON SCHEMA claimcheck TO {way.Username}; GRANT ALL ON ALL TABLES IN SCHEMA claimcheck TO "
            + $"{way.Username}; REVOKE UPDATE ON orders FROM {way.Username}");
        scene.AddOperation(
            "latin", "item", "UPDATE orders SET status = convert_from(convert_to(:status, 'LATIN1'), 'LATIN1') WHERE id = :id");
        scene.AddOperation("slow", "item", "UPDATE orders SET status = :status || (SELECT '' FROM pg_sleep(30)) WHERE id = :id");
        scene.Scene.Settings["ConnectionStrings__source"] = way.ConnectionString;
        var process = await scene.Scene.StartServiceAsync(
            ("ClaimCheck__BulkJobs__TargetPatience", "00:00:01"), ("ClaimCheck__BulkJobs__StatementTimeout", "00:00:02"));
        using var http = process.NewHttp();

        await FailsAsync("item", "operation_refused", false, "The role may not do that: permission denied. Grant the role");
        await Scene.SqlAsync(scene.Target, $"GRANT UPDATE ON orders TO {way.Username}");
        var job = await JobScene.EndedAsync(
            http, await JobScene.PostAsync(http, "latin", JobScene.Ndjson([("ord_0", "gr\u00fcn"), ("ord_1", "10 \u20ac")])));
        Assert.Equal((BulkJobStatus.Completed, 1, 1), (job.Status, job.Succeeded, job.Failed));
        var item = Assert.Single(await JobScene.ResultsAsync(http, job), result => result.Status == "failed");
        Assert.Equal(("invalid_value", "terminal"), (item.Code, item.Class));
        Assert.Contains(
            "A text has a character that the other side's encoding does not have.", item.Message, StringComparison.Ordinal);
        await FailsAsync("slow", "target_timeout", true, "The statement took longer than it may");

        await Scene.SqlAsync(scene.Target, $"ALTER ROLE {way.Username} SET default_transaction_read_only = on");
        await EndSessionsAsync();
        await FailsAsync("loose", "target_unavailable", true, "The database or the transaction is read-only");
        await Scene.SqlAsync(scene.Target, $"ALTER ROLE {way.Username} PASSWORD 'other'");
        await EndSessionsAsync();
        await FailsAsync("loose", "target_unavailable", true, "password authentication failed");

        Task EndSessionsAsync() => Scene.SqlAsync(
            scene.Target, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{way.Username}'");

        async Task FailsAsync(string operation, string code, bool isTransient, string text)
        {
            var failed = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, JobScene.Ndjson(2)));
            Assert.True(
                (BulkJobStatus.Failed, code, isTransient) == (failed.Status, failed.Failure?.Code, failed.Failure?.Transient),
                $"{operation}: {failed.Status}, {failed.Failure}");
            Assert.Contains(text, failed.Failure!.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(way.Username!, failed.Failure.Detail, StringComparison.Ordinal);
        }
    }
}
