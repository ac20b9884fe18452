using System.Diagnostics;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Cli.Tests;

[Collection(ToolScene.Name)]
public sealed class Asking_for_exports(ToolScene scene)
{
    [Fact]
    public async Task A_dataset_that_does_not_fit_is_told_once_with_its_file_and_line()
    {
        const string why = "datasets/misfit.sql:2: source refuses the query: column \"nope\" does not exist (42703).";
        foreach (var arguments in (string[][])[["export", "misfit"], ["datasets"], ["datasets", "misfit"]])
        {
            var result = await scene.RunAsync(arguments);
            var said = result.Output + result.Errors;
            Assert.Equal(2, said.Split(why).Length);
            Assert.DoesNotContain("can't be reached", said, StringComparison.Ordinal);
            Assert.DoesNotContain("Try again", said, StringComparison.Ordinal);
            result.Exits(arguments[0] == "export" ? 6 : 0);
        }
    }

    [Fact]
    public async Task Datasets_are_listed_and_shown()
    {
        var list = (await scene.RunAsync("datasets")).Exits(0);
        Assert.Contains("typed", list.Output);
        var json = (await scene.RunAsync("datasets", "--json")).Exits(0).Json;
        Assert.Contains(json["items"]!.AsArray(), item => item!["name"]!.GetValue<string>() == "wide");

        var one = (await scene.RunAsync("datasets", "typed")).Exits(0);
        Assert.Contains("--where ids=… (bigint[], required)", one.Output);
        Assert.Equal("id", (await scene.RunAsync("datasets", "typed", "--json")).Exits(0).Json["key"]!.GetValue<string>());
        Assert.Equal("not_found", (await scene.RunAsync("datasets", "none", "--json")).Exits(3).Json["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Values_are_sent_in_the_types_of_the_parameters()
    {
        var export = (await scene.RunAsync(
            "export", "typed", "--where", "ids=[5,3]", "--where", "flag=true", "--where", "since=2026-01-01T00:00:00Z",
            "--format", "ndjson", "--wait", "--json")).Exits(0).Json;
        Assert.Equal("ready", export["state"]!.GetValue<string>());
        Assert.Equal(2, export["progress"]!["records"]!.GetValue<long>());
        var shown = (await scene.RunAsync("status", export["exportId"]!.GetValue<string>())).Exits(0);
        Assert.Matches("read +in one stream", shown.Output);
        Assert.Equal("""{"ids":[5,3],"flag":true,"since":"2026-01-01T00:00:00Z"}""", export["criteria"]!.ToJsonString());

        var repeated = (await scene.RunAsync(
            "export", "typed", "--where", "ids=7", "--where", "ids=8", "--wait", "--json")).Exits(0).Json;
        Assert.Equal("[7,8]", repeated["criteria"]!["ids"]!.ToJsonString());
    }

    [Fact]
    public async Task A_dry_run_shows_what_the_export_would_be_and_makes_none()
    {
        var shown = (await scene.RunAsync("export", "typed", "--where", "ids=[5,3]", "--format", "ndjson", "--dry-run")).Exits(0);
        Assert.Matches("records +about [0-9]", shown.Output);
        Assert.Matches("read +in one stream", shown.Output);
        Assert.DoesNotContain("exp_", shown.Output, StringComparison.Ordinal);
        var estimate = (await scene.RunAsync("export", "wide", "--dry-run", "--json")).Exits(0).Json;
        Assert.Equal("none", estimate["ranges"]!["by"]!.GetValue<string>());
        (await scene.RunAsync("export", "absent", "--dry-run")).Exits(3);
        foreach (var more in (string[][])[["--wait"], ["--out", "anywhere"]])
            (await scene.RunAsync(["export", "typed", "--dry-run", .. more])).Exits(2);
    }

    [Theory]
    [InlineData("--where least: the dataset typed takes ids, flag, since.", "--where", "least=1")]
    [InlineData("--where flag is 'yes', but must be true or false.", "--where", "flag=yes")]
    [InlineData("--where is 'ids', but must be NAME=VALUE.", "--where", "ids")]
    [InlineData("--where flag is given 2 times", "--where", "flag=true", "--where", "flag=false")]
    [InlineData("--where ids is 'x', but must be a number (bigint).", "--where", "ids=x")]
    [InlineData("--where since: ", "--where", "ids=1", "--where", "since=tomorrow")]
    [InlineData("--where ids: ")]
    [InlineData("--format: Must be one of csv, ndjson.", "--where", "ids=1", "--format", "xml")]
    [InlineData("--max-file-bytes: Must be", "--where", "ids=1", "--max-file-bytes", "1KiB")]
    [InlineData("--retention is 'soon', but must be a duration", "--retention", "soon")]
    [InlineData("--max-file-bytes is '5x'", "--max-file-bytes", "5x")]
    public async Task A_wrong_value_is_named_by_its_option(string said, params string[] options)
    {
        var result = (await scene.RunAsync(["export", "typed", "--json", .. options])).Exits(2);
        Assert.Contains(said, result.Errors);
        Assert.Equal(2, result.Json["exitCode"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_refused_request_is_handed_on_as_the_service_wrote_it()
    {
        var problem = (await scene.RunAsync(
            "export", "typed", "--where", "ids=1", "--where", "since=tomorrow", "--json")).Exits(2).Json;
        Assert.Equal("validation_failed", problem["code"]!.GetValue<string>());
        Assert.Equal(422, problem["status"]!.GetValue<int>());
        Assert.NotEmpty(problem["errors"]!["criteria.since"]!.AsArray());
    }

    [Fact]
    public async Task The_same_idempotency_key_is_the_same_export()
    {
        var key = Guid.NewGuid().ToString("N");
        var first = (await scene.RunAsync(
            "export", "items", "--idempotency-key", key, "--retention", "2d", "--json")).Exits(0).Json;
        var second = (await scene.RunAsync(
            "export", "items", "--idempotency-key", key, "--retention", "P2D", "--json")).Exits(0).Json;
        Assert.Equal(first["exportId"]!.GetValue<string>(), second["exportId"]!.GetValue<string>());
        Assert.Equal(
            "idempotency_key_reused",
            (await scene.RunAsync("export", "wide", "--idempotency-key", key, "--json")).Exits(1).Json["code"]!
                .GetValue<string>());
    }

    [Fact]
    public async Task No_link_is_printed_unless_asked_for()
    {
        var redacted = (await scene.RunAsync("export", "items", "--json")).Exits(0);
        Assert.EndsWith("?[redacted]", redacted.Json["links"]!["staging"]!.GetValue<string>());
        Assert.DoesNotContain("sig=", redacted.Output);
        var revealed = (await scene.RunAsync("export", "items", "--json", "--show-links")).Exits(0);
        Assert.Contains("sig=", revealed.Json["links"]!["staging"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_export_that_fails_ends_with_5_and_its_reason()
    {
        var result = (await scene.RunAsync("export", "broken", "--wait")).Exits(5);
        Assert.Contains("source_query_failed", result.Errors);
        Assert.Equal(
            "failed", (await scene.RunAsync("export", "broken", "--wait", "--json")).Exits(5).Json["state"]!.GetValue<string>());
        Assert.Contains("The dataset 'none' does not exist", (await scene.RunAsync("export", "none")).Exits(3).Errors);
        Assert.Equal(
            "not_found",
            (await scene.RunAsync("export", "none", "--where", "a=b", "--json")).Exits(3).Json["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_interrupted_wait_leaves_the_export_alone_and_says_how_to_go_on()
    {
        await using var tool = scene.Start("export", "endless", "--wait");
        await Eventually.TrueAsync(() => Task.FromResult(tool.Errors.Contains("running", StringComparison.Ordinal)));
        tool.Interrupt();
        var result = (await tool.EndAsync()).Exits(130);
        var id = result.Errors[result.Errors.IndexOf("exp_", StringComparison.Ordinal)..][..36];
        Assert.Contains($"'claimcheck watch {id}'", result.Errors);
        Assert.Contains($"'claimcheck revoke {id}'", result.Errors);
        Assert.Equal("running", (await scene.RunAsync("status", id, "--json")).Exits(0).Json["state"]!.GetValue<string>());

        Assert.Contains("continues at the service", (await scene.RunAsync("watch", id, "--timeout", "1s")).Exits(6).Errors);
        await using var watch = scene.Start("watch", id, "--json");
        await Eventually.TrueAsync(() => Task.FromResult(watch.Output.Contains("running", StringComparison.Ordinal)));
        var cancelled = (await scene.RunAsync("revoke", id, "--reason", "too slow", "--json")).Exits(0).Json;
        Assert.Equal("cancelled", cancelled["state"]!.GetValue<string>());
        Assert.Equal("cancelled", (await watch.EndAsync()).Exits(5).JsonLines[^1]["state"]!.GetValue<string>());
        Assert.Equal("export_cancelled", (await scene.RunAsync(
            "download", id, "--json", "--out", scene.NewFolder())).Exits(5).Json["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Progress_is_plain_lines_where_there_is_no_terminal()
    {
        var result = (await scene.RunAsync("export", "wide", "--wait")).Exits(0);
        Assert.Matches("exp_[0-9a-f]{32}: ready, 20,000( of [0-9,]+)? rows, [0-9.]+ [KM]B", result.Errors);
        Assert.DoesNotContain("\u001b", result.Errors + result.Output);
    }

    [Fact]
    public async Task A_terminal_sees_a_bar_and_scripts_see_none()
    {
        // `script` gives the tool a terminal; its options differ between Linux and macOS.
        string[] tool = ["dotnet", Path.Combine(AppContext.BaseDirectory, "claimcheck.dll"), "export", "endless", "--wait",
            "--timeout", "3s"];
        var start = new ProcessStartInfo(
            "script", OperatingSystem.IsMacOS() ? ["-q", "/dev/null", .. tool] : ["-qec", string.Join(' ', tool), "/dev/null"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["CLAIMCHECK_URL"] = scene.Proxy.Url.AbsoluteUri;
        start.Environment["CLAIMCHECK_KEY"] = ToolScene.Key;
        start.Environment["TERM"] = "xterm";
        using var terminal = Process.Start(start)!;
        var seen = await terminal.StandardOutput.ReadToEndAsync();
        await terminal.WaitForExitAsync();
        Assert.Equal(6, terminal.ExitCode);
        Assert.Contains("\u001b[", seen);
        Assert.Matches("running, [0-9,]+", seen);
        Assert.DoesNotContain(ToolScene.Key, seen);
    }

    [Fact]
    public async Task Exports_are_listed_by_page_and_filter()
    {
        for (var i = 0; i < 3; i++)
            await scene.Client.CreateExportAsync(new ExportRequest { Dataset = "items" });
        var first = (await scene.RunAsync("list", "--limit", "2", "--dataset", "items", "--json")).Exits(0).Json;
        Assert.Equal(2, first["items"]!.AsArray().Count);
        var cursor = first["nextCursor"]!.GetValue<string>();
        var second = (await scene.RunAsync(
            "list", "--limit", "2", "--dataset", "items", "--cursor", cursor, "--json")).Exits(0).Json;
        Assert.NotEqual(
            first["items"]![0]!["exportId"]!.GetValue<string>(), second["items"]![0]!["exportId"]!.GetValue<string>());

        var all = (await scene.RunAsync("list", "--all", "--limit", "2", "--dataset", "items", "--json")).Exits(0).JsonLines;
        Assert.True(all.Count >= 3);
        Assert.All(all, export => Assert.Equal("items", export["dataset"]!.GetValue<string>()));
        Assert.Contains("EXPORT", (await scene.RunAsync("list", "--state", "ready")).Exits(0).Output);
        (await scene.RunAsync("list", "--state", "gone")).Exits(2);
        Assert.Contains("limit must", (await scene.RunAsync("list", "--limit", "0")).Exits(2).Errors);
        (await scene.RunAsync("list", "--cursor", "nonsense")).Exits(2);
    }

    [Fact]
    public async Task What_is_not_there_is_3_and_what_is_no_id_is_2()
    {
        var nobody = ExportId.New().ToString();
        Assert.Equal("not_found", (await scene.RunAsync("status", nobody, "--json")).Exits(3).Json["code"]!.GetValue<string>());
        (await scene.RunAsync("watch", nobody)).Exits(3);
        (await scene.RunAsync("revoke", nobody)).Exits(3);
        (await scene.RunAsync("download", BatchId.New().ToString(), "--out", scene.NewFolder())).Exits(3);
        (await scene.RunAsync("status", "exp_1")).Exits(2);
        (await scene.RunAsync("nonsense")).Exits(2);
        (await scene.RunAsync()).Exits(2);
    }
}
