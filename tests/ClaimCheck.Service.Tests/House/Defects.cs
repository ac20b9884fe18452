using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.House;

/// <summary>What nobody expected is an error in the log, once, with its stack, and without what it happened over.</summary>
public sealed class Defects
{
    [Fact]
    public async Task Each_kind_of_worker_logs_its_own_with_the_stack()
    {
        await using var jobs = await JobScene.CreateAsync(2);
        var scene = jobs.Scene;
        scene.Settings["ClaimCheck__Webhooks__AllowPrivateAddresses"] = "true";
        await using var door = await ServiceProcess.StartAsync(
            new Dictionary<string, string>(scene.Settings) { ["ClaimCheck__Roles"] = "api" });
        using var http = door.NewHttp();
        using var api = new ApiClient(door.NewHttp());
        var hook = await api.PostAsync(
            "/v1/subscriptions", """{ "consumer": "billing", "protocol": "webhook", "endpoint": "http://127.0.0.1:9/hook" }""");
        Assert.Equal(201, hook.Status);
        var export = (await api.PostAsync("/v1/exports", """{ "dataset": "items" }""")).Json.Text("exportId");
        var job = await JobScene.PostAsync(http, "item", JobScene.Ndjson(2));
        Assert.Equal(201, (await api.SendAsync("PUT", "/v1/schedules/nightly", ApiClient.Json(
            """{ "cron": "0 0 2 * * ?", "timeZone": "Europe/Berlin", "export": { "dataset": "items" } }"""u8.ToArray()))).Status);

        // What no caller can bring about: each is the work of a defect.
        await Scene.SqlAsync(scene.Catalog, """
            UPDATE exports SET definition = jsonb_set(definition::jsonb, '{key}', '"hunter2"')::json;
            UPDATE bulk_jobs SET body = convert_to(rpad('hunter2', body_bytes::int - 1, 'x') || E'\n', 'UTF8');
            UPDATE event_subscriptions SET endpoint = '//hunter2?secret=hunter2';
            UPDATE schedules SET time_zone = 'Nowhere/Land', next_fire_at = now(), try_at = now();
            """);
        await using var worker = await ServiceProcess.StartAsync(
            new Dictionary<string, string>(scene.Settings) { ["ClaimCheck__Roles"] = "worker" });
        var failed = await Eventually.NotNullAsync(async () =>
            (await api.GetAsync($"/v1/exports/{export}")).Json is var now && now.Text("state") == "failed"
                ? now.GetProperty("failure").ToString()
                : null);
        Assert.Contains("\"internal_error\"", failed, StringComparison.Ordinal);
        Assert.Contains("It is logged.", failed, StringComparison.Ordinal);
        Assert.Equal(BulkJobStatus.Failed, (await JobScene.EndedAsync(http, job)).Status);

        foreach (var (what, type) in ((string, string)[])[
            ($"Export {export} hit a defect", "System.InvalidOperationException"),
            ($"Job {job.JobId} hit a defect", "System."),
            ("hit a defect of the service; it is tried again.", "System."),
            ("Schedule nightly can't be fired; it is tried again", "System.")])
        {
            var line = await Eventually.NotNullAsync(
                () => Task.FromResult(worker.Log.Split('\n').FirstOrDefault(
                    line => line.Contains(what, StringComparison.Ordinal) && line.Contains(" fail: ", StringComparison.Ordinal))),
                what: what);
            Assert.Contains(type, line, StringComparison.Ordinal);
            Assert.Contains(" at ClaimCheck.Service.", line, StringComparison.Ordinal);
        }

        Assert.Single(worker.Log.Split('\n'), line => line.Contains($"Export {export} hit a defect", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void A_defect_keeps_types_states_and_stacks_and_leaves_values_and_links_out()
    {
        var postgres = new PostgresException("invalid input syntax for type integer: \"hunter2\"", "ERROR", "ERROR", "22P02",
            detail: "Key (email)=(hunter2) exists.");
        var text = Texts(new InvalidOperationException("GET https://host.example/a/b?X-Amz-Signature=hunter2 failed.", postgres));
        Assert.Contains(
            "System.InvalidOperationException: GET https://host.example/a/b?[redacted] failed.", text, StringComparison.Ordinal);
        Assert.Contains("---> Npgsql.PostgresException: SQLSTATE 22P02", text, StringComparison.Ordinal);
        Assert.Contains(nameof(Thrown), text, StringComparison.Ordinal);

        Assert.StartsWith("System.FormatException\n",
            Texts(new FormatException("The input string 'hunter2' was not in a correct format.")), StringComparison.Ordinal);
        Assert.Contains("System.Text.Json.JsonReaderException\n",
            Texts(Assert.ThrowsAny<Exception>(() => System.Text.Json.JsonDocument.Parse("hunter2"))), StringComparison.Ordinal);
        var kept = Defect.Of(new IOException("No space left on device"));
        Assert.Equal("System.IO.IOException: No space left on device", kept.Message);
        Assert.Same(kept, Defect.Of(kept));
    }

    private static string Texts(Exception exception)
    {
        var defect = Defect.Of(Thrown(exception));
        Assert.DoesNotContain("hunter2", $"{defect} {defect.Message} {defect.StackTrace}", StringComparison.Ordinal);
        return defect.ToString();
    }

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
