using System.Runtime.Versioning;
using ClaimCheck.Testing;

namespace ClaimCheck.Cli.Tests;

[Collection(ToolScene.Other)]
[UnsupportedOSPlatform("windows")]
public sealed class Connecting(ToolScene scene)
{
    private const string Wrong = "wrong-key-0123456789-0123456789-0123456789";

    [Fact]
    public async Task A_profile_gives_the_address_and_the_key()
    {
        var home = Profiles(
            $$"""{ "default": "here", "profiles": { "here": { "url": "{{scene.Proxy.Url}}", "key": "{{ToolScene.Key}}" } } }""",
            UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await RunAsync(home, [], "datasets")).Exits(0);
        (await RunAsync(home, [], "datasets", "--profile", "here")).Exits(0);
        (await RunAsync(home, [("CLAIMCHECK_PROFILE", "here")], "datasets")).Exits(0);
        Assert.Contains("it has here", (await RunAsync(home, [], "datasets", "--profile", "there")).Exits(2).Errors);
        (await RunAsync(home, [], "datasets", "--profile", "here", "--url", "http://127.0.0.1:9")).Exits(2);
    }

    [Fact]
    public async Task A_profile_s_key_goes_to_no_other_address()
    {
        var home = Profiles(
            $$"""{ "default": "elsewhere", "profiles": { "elsewhere": { "url": "http://127.0.0.1:9", "key": "{{ToolScene.Key}}" } } }""",
            UnixFileMode.UserRead);
        (await RunAsync(home, [], "datasets", "--url", scene.Proxy.Url.AbsoluteUri)).Exits(4);
        (await RunAsync(home, [("CLAIMCHECK_URL", scene.Proxy.Url.AbsoluteUri)], "datasets")).Exits(4);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task A_file_with_a_key_that_others_can_reach_is_refused(UnixFileMode others)
    {
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | others;
        var home = Profiles(
            $$"""{ "default": "here", "profiles": { "here": { "url": "{{scene.Proxy.Url}}", "key": "{{ToolScene.Key}}" } } }""",
            mode);
        Assert.Contains("chmod 600", (await RunAsync(home, [], "datasets")).Exits(2).Errors);

        var keyFile = Path.Combine(home, "key");
        await File.WriteAllTextAsync(keyFile, ToolScene.Key + "\n");
        File.SetUnixFileMode(keyFile, mode);
        Assert.Contains("chmod 600", (await RunAsync(
            "/nonexistent", [], "datasets", "--url", scene.Proxy.Url.AbsoluteUri, "--key-file", keyFile)).Exits(2).Errors);
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead);
        (await RunAsync("/nonexistent", [], "datasets", "--url", scene.Proxy.Url.AbsoluteUri, "--key-file", keyFile)).Exits(0);

        // Without a key in it the file is not a secret.
        var open = Profiles(
            $$"""{ "default": "here", "profiles": { "here": { "url": "{{scene.Proxy.Url}}", "keyFile": "{{keyFile}}" } } }""",
            mode);
        (await RunAsync(open, [], "datasets")).Exits(0);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData(
        """{ "profiles": { "here": { "url": "http://127.0.0.1:9", "kee": "test-key-0123456789-0123456789-0123456789" } } }""")]
    [InlineData("{}")]
    public async Task A_broken_profile_file_is_explained_without_its_content(string content)
    {
        var result = (await RunAsync(Profiles(content, UnixFileMode.UserRead), [], "datasets", "--json")).Exits(2);
        Assert.Contains("config.json", result.Errors);
        Assert.Equal("usage", result.Json["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_wrong_or_missing_key_is_4()
    {
        var url = scene.Proxy.Url.AbsoluteUri;
        (await RunAsync("/nonexistent", [], "datasets", "--url", url)).Exits(4);
        var refused = (await RunAsync("/nonexistent", [("CLAIMCHECK_KEY", Wrong)], "datasets", "--url", url, "--json")).Exits(4);
        Assert.Equal("unauthorized", refused.Json["code"]!.GetValue<string>());
        (await RunAsync("/nonexistent", [("CLAIMCHECK_KEY", Wrong)], "datasets", "--url", url, "--key", ToolScene.Key)).Exits(0);
    }

    [Fact]
    public async Task An_address_that_nobody_answers_is_6_and_one_that_is_none_is_2()
    {
        Assert.Equal("service_unreachable", (await RunAsync(
            "/nonexistent", [], "list", "--url", "http://127.0.0.1:9", "--json")).Exits(6).Json["code"]!.GetValue<string>());
        (await RunAsync("/nonexistent", [], "list", "--url", "nonsense")).Exits(2);
        (await RunAsync("/nonexistent", [], "list", "--url", "ftp://127.0.0.1")).Exits(2);
        Assert.DoesNotContain(ToolScene.Key, (await RunAsync(
            "/nonexistent", [], "list", "--url", $"http://me:{ToolScene.Key}@127.0.0.1:9")).Exits(2).Errors);
    }

    [Fact]
    public async Task An_untrusted_certificate_is_7_and_a_proxy_that_refuses_is_named()
    {
        await using (var tls = RawListener.WithCertificate("localhost", -1))
        {
            var untrusted =
                (await RunAsync("/nonexistent", [], "list", "--url", $"https://localhost:{tls.Port}", "--json")).Exits(7);
            Assert.Equal("untrusted_certificate", untrusted.Json["code"]!.GetValue<string>());
            Assert.Contains("is not trusted: its issuer is unknown here", untrusted.Errors);
            Assert.DoesNotContain("can't be reached", untrusted.Errors);
        }

        await using (var proxy = RawListener.Answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
        {
            var refused = (await RunAsync("/nonexistent", [("HTTPS_PROXY", $"http://me:word@127.0.0.1:{proxy.Port}")], "list",
                "--url", "https://exports.example")).Exits(6);
            Assert.Contains($"the proxy 127.0.0.1:{proxy.Port} does not connect to it: it answers 403.", refused.Errors);
            Assert.DoesNotContain("word", refused.Errors);
        }

        var away = (await RunAsync(
            "/nonexistent", [("HTTPS_PROXY", "http://127.0.0.1:9")], "list", "--url", "https://exports.example")).Exits(6);
        Assert.Contains(
            "the proxy 127.0.0.1:9, which HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names: nothing listens there", away.Errors);
    }

    [Fact]
    public async Task What_others_say_is_one_line_that_a_terminal_does_not_obey()
    {
        var bogus = (await RunAsync("/nonexistent", [], "list", "--state", "bogus\u001b[31m")).Exits(2);
        Assert.Contains("Must be one of: '", bogus.Errors, StringComparison.Ordinal);
        const string hostile = "\\u001b]0;owned\\u0007\\u001b[2Jread\\r\\n\\tme \\u202eesrever\\u009b31m\\u0000";
        var problem =
            $$"""{ "type": "about:blank", "title": "No", "status": 404, "code": "not_found", "detail": "{{hostile}}" }""";
        await using var server = RawListener.Answering(
            "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: "
            + $"{problem.Length}\r\n\r\n{problem}");
        var text = (await RunAsync("/nonexistent", [], "status", "exp_00000000000000000000000000000000", "--url",
            $"http://127.0.0.1:{server.Port}")).Exits(3);
        var json = (await RunAsync("/nonexistent", [], "status", "exp_00000000000000000000000000000000", "--url",
            $"http://127.0.0.1:{server.Port}", "--json")).Exits(3);

        foreach (var said in (string[])[bogus.Errors, text.Errors, json.Errors, json.Output])
            Assert.DoesNotContain(said.ReplaceLineEndings(""), c => char.IsControl(c) || c is '\u202e');
        Assert.Contains("No: \uFFFD\uFFFDread me \uFFFDesrever\uFFFD\uFFFD.", text.Errors, StringComparison.Ordinal);
        Assert.Contains("\u001b[2J", json.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_says_what_the_exit_codes_mean()
    {
        foreach (var arguments in new string[][] { ["--help"], ["export", "--help"], ["events", "-h"] })
        {
            var help = (await RunAsync("/nonexistent", [], arguments)).Exits(0);
            Assert.Contains("130  interrupted", help.Output);
            Assert.Contains("claimcheck", help.Output);
        }
    }

    private static async Task<ToolResult> RunAsync(
        string home, (string Name, string Value)[] environment, params string[] arguments)
    {
        var all = environment.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
        all["XDG_CONFIG_HOME"] = home;
        await using var tool = ToolProcess.Start(all, arguments);
        var result = await tool.EndAsync();
        Assert.DoesNotContain(ToolScene.Key, result.Output + result.Errors);
        Assert.DoesNotContain(Wrong, result.Output + result.Errors);
        return result;
    }

    private string Profiles(string content, UnixFileMode mode)
    {
        var home = scene.NewFolder();
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "claimcheck")).FullName, "config.json");
        File.WriteAllText(file, content);
        File.SetUnixFileMode(file, mode);
        return home;
    }
}
