using System.Diagnostics;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests;

/// <summary>The demo as a newcomer runs it: it starts all that it shows, and takes it away again.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")] // where ./dev does not run either
public sealed class The_demo : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly string mark = $"demo-{Guid.NewGuid():N}";
    private readonly DirectoryInfo temporary = Directory.CreateTempSubdirectory("claimcheck-demo-test-");

    public void Dispose() => temporary.Delete(recursive: true);

    [Fact]
    public async Task Its_main_chapter_shows_the_whole_job_and_leaves_nothing_behind()
    {
        using var demo = Start("main");
        var (output, errors) = (demo.StandardOutput.ReadToEndAsync(), demo.StandardError.ReadToEndAsync());
        await demo.WaitForExitAsync().WaitAsync(Patience);
        var shown = await output;

        Assert.True(demo.ExitCode == 0, $"It ended with {demo.ExitCode}:\n{shown}\n{await errors}");
        Assert.Equal("", await errors);
        foreach (var promised in (string[])
                 [
                     "9/9", "ok: 202 Accepted", "1,000,000 records in 3 files", "\"type\": \"claimcheck.bulk.ready.v1\"",
                     "ok: every value of every record matches the source", "manifest.json          206 before, 404 after",
                     "ok: the claim URL answers 410, batch_revoked", "ok: the library throws BatchRevokedException",
                     "ok: the feed sends BulkRevoked",
                 ])
        {
            Assert.Contains(promised, shown, StringComparison.Ordinal);
        }
        Assert.DoesNotMatch(@"https?://\S+\?[^…]", shown); // no link is shown with what makes it work
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Told_to_stop_it_takes_all_away_too()
    {
        using var demo = Start("ar-4");
        _ = demo.StandardError.ReadToEndAsync();
        while (await demo.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line
            && !line.StartsWith("3/6", StringComparison.Ordinal))
        {
            // The service, its database and the adapter are started.
        }

        using (var kill = Process.Start("kill", ["-TERM", $"{demo.Id}"]))
            await kill.WaitForExitAsync();

        Assert.Contains("Stopped.", await demo.StandardOutput.ReadToEndAsync().WaitAsync(Patience), StringComparison.Ordinal);
        await demo.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(130, demo.ExitCode);
        await AssertNothingIsLeftAsync();
    }

    private Process Start(string chapter)
    {
        // As root its database is another user's, who has to get in.
        temporary.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        var binaries = Path.GetRelativePath(
            Path.Combine(S3Endpoint.RepositoryRoot(), "tests", "ClaimCheck.EndToEnd.Tests"), AppContext.BaseDirectory);
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(S3Endpoint.RepositoryRoot(), "src", "ClaimCheck.Demo", binaries, "ClaimCheck.Demo.dll"), chapter])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["TMPDIR"] = temporary.FullName;
        start.Environment["CLAIMCHECK_MARK"] = mark;
        return Process.Start(start)!;
    }

    private async Task AssertNothingIsLeftAsync()
    {
        Assert.Empty(temporary.EnumerateFileSystemInfos());
        // The last processes of a database that has stopped may take a moment more.
        await Eventually.TrueAsync(
            () => Task.FromResult(!Directory.GetDirectories("/proc").Any(IsOurs)), what: "no process is left");
    }

    private bool IsOurs(string process)
    {
        try
        {
            return char.IsAsciiDigit(Path.GetFileName(process)[0])
                && File.ReadAllText(Path.Combine(process, "environ"))
                    .Contains($"CLAIMCHECK_MARK={mark}", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // somebody else's, or it has ended meanwhile
        }
    }
}
