using System.Diagnostics;
using System.Text.RegularExpressions;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests;

/// <summary>The commands of the pages are pasted as they are into a shell, beside a service as <c>./dev up</c> starts it.</summary>
public sealed partial class The_pages
{
    // Notes what fails: a status of 400 or more, or no answer. What `head` closes is no failure.
    private const string Curl = """
        curl() {
            local code=0
            command curl --fail-with-body --noproxy '*' --max-time 100 "$@" || code=$?
            [ $code -eq 0 ] || [ $code -eq 23 ] || echo "curl $*: exit code $code" >>failures
        }

        """;

    [Fact]
    public async Task Have_commands_that_can_be_pasted_as_they_are()
    {
        var pages = ((string[])[Path.Combine(S3Endpoint.RepositoryRoot(), "README.md"), .. Directory.GetFiles(Path.Combine(S3Endpoint.RepositoryRoot(), "docs"), "*.md")])
            .Select(path => (Name: Path.GetFileName(path), Commands: Commands(path))).Where(page => page.Commands.Length > 0).ToList();
        Assert.Superset(new HashSet<string> { "README.md", "api-by-example.md" }, pages.Select(page => page.Name).ToHashSet());
        await using var scene = await Scene.CreateAsync(1);
        var sample = $"sample_{Guid.NewGuid():N}";
        scene.Settings.Remove("ClaimCheck__Datasets");
        scene.Settings["ClaimCheck__Sample__Database"] = sample;
        scene.Settings["ClaimCheck__Sample__Orders"] = "3000";
        var service = await scene.StartServiceAsync();
        try
        {
            foreach (var page in pages)
            {
                var (output, failures) = await PasteAsync(page.Commands.Replace("localhost:8080", service.Address.Authority, StringComparison.Ordinal));

                Assert.True(failures.Length == 0, $"{page.Name}: {failures}\n{output}");
                if (page.Commands.Contains("-X DELETE \"localhost:8080/v1/batches/", StringComparison.Ordinal))
                    Assert.Contains("\"verifiedAt\":\"", output, StringComparison.Ordinal);
            }
        }
        finally
        {
            await service.StopAsync();
            await Scene.SqlAsync(scene.Source, $"DROP DATABASE IF EXISTS {sample} WITH (FORCE)");
        }
    }

    private static string Commands(string path) => string.Concat(
        Fences().Matches(File.ReadAllText(path)).Select(match => match.Groups["commands"].Value).Where(commands => commands.Contains("curl ", StringComparison.Ordinal)));

    private static async Task<(string Output, string Failures)> PasteAsync(string commands)
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-pages-").FullName;
        try
        {
            // What is picked out of an answer must have been in it.
            var checks = string.Concat(Assignments().Matches(commands).Select(match => $"[ -n \"${match.Groups["name"].Value}\" ] || echo '{match.Groups["name"].Value} is empty' >>failures\n"));
            await File.WriteAllTextAsync(Path.Combine(folder, "commands.sh"), $"{Curl}{commands}\n{checks}");
            var start = new ProcessStartInfo("bash", "commands.sh") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
            using var shell = Process.Start(start)!;
            shell.StandardInput.Close();
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(4));
            var (output, errors) = (shell.StandardOutput.ReadToEndAsync(deadline.Token), shell.StandardError.ReadToEndAsync(deadline.Token));
            try
            {
                await shell.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                shell.Kill(entireProcessTree: true);
                throw;
            }

            var failures = Path.Combine(folder, "failures");
            return (await output, (File.Exists(failures) ? await File.ReadAllTextAsync(failures) : "") + await errors);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"^```bash\n(?<commands>.*?)^```", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Fences();

    [GeneratedRegex(@"^(?<name>\w+)=\$\(", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Assignments();
}
