using System.Diagnostics;
using System.Text.RegularExpressions;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests;

/// <summary>The commands of the pages are pasted as they are into a shell beside a service as of <c>./dev up</c>.</summary>
public sealed partial class The_pages
{
    // Records what fails: a status of 400 or more, no answer, a missing command. What `head` closes (23) is not a failure.
    private const string Curl = """
        curl() {
            local code=0
            command curl --fail-with-body --noproxy '*' --max-time 100 "$@" || code=$?
            [ $code -eq 0 ] || [ $code -eq 23 ] || echo "curl $*: exit code $code" >>failures
        }
        command_not_found_handle() { echo "$1 is missing" >>failures; }

        """;

    [Fact]
    public async Task Have_commands_that_can_be_pasted_as_they_are()
    {
        var root = S3Endpoint.RepositoryRoot();
        string[] paths = [Path.Combine(root, "README.md"), .. Directory.GetFiles(Path.Combine(root, "docs"), "*.md")];
        var pages = paths.Select(path => (Name: Path.GetFileName(path), Commands: Commands(path)))
            .Where(page => page.Commands.Length > 0).ToList();
        Assert.All((string[])["README.md", "api-by-example.md"], name => Assert.Contains(pages, page => page.Name == name));
        await using var scene = await Scene.CreateAsync(1);
        var sample = $"sample_{Guid.NewGuid():N}";
        scene.Settings.Remove("ClaimCheck__Datasets");
        scene.Settings["ClaimCheck__Sample__Database"] = sample;
        scene.Settings["ClaimCheck__Sample__Orders"] = "3000";
        var service = await scene.StartServiceAsync();
        try
        {
            foreach (var (name, commands) in pages)
            {
                var here = commands.Replace("localhost:8080", service.Address.Authority, StringComparison.Ordinal);
                var (output, failures) = await PasteAsync(here);

                Assert.True(failures.Length == 0, $"{name}: {failures}\n{output}");
                if (commands.Contains("?reason=", StringComparison.Ordinal))
                    Assert.Contains("\"verifiedAt\":\"", output, StringComparison.Ordinal);
            }
        }
        finally
        {
            await service.StopAsync();
            await Scene.SqlAsync(scene.Source, $"DROP DATABASE IF EXISTS {sample} WITH (FORCE)");
        }
    }

    private static string Commands(string path) => string.Concat(Fences().Matches(File.ReadAllText(path))
        .Select(match => match.Groups["commands"].Value).Where(commands => commands.Contains("curl ", StringComparison.Ordinal)));

    private static async Task<(string Output, string Failures)> PasteAsync(string commands)
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-pages-").FullName;
        try
        {
            // What is picked out of an answer must have been in it.
            var checks = Assignments().Matches(commands).Select(match => match.Groups["name"].Value)
                .Select(name => $"[ -n \"${name}\" ] || echo '{name} is empty' >>failures\n");
            await File.WriteAllTextAsync(Path.Combine(folder, "commands.sh"), $"{Curl}{commands}\n{string.Concat(checks)}");
            var start = new ProcessStartInfo("bash", "commands.sh")
            {
                UseShellExecute = false,
                WorkingDirectory = folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var shell = Process.Start(start)!;
            shell.StandardInput.Close();
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(4));
            await using var end = deadline.Token.Register(() => shell.Kill(entireProcessTree: true));
            var errors = shell.StandardError.ReadToEndAsync(CancellationToken.None);
            var output = await shell.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await shell.WaitForExitAsync(CancellationToken.None);
            deadline.Token.ThrowIfCancellationRequested();
            var failures = Path.Combine(folder, "failures");
            return ($"{output}\n{await errors}", File.Exists(failures) ? await File.ReadAllTextAsync(failures) : "");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"^```bash\n(?<commands>[^`]*)^```", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 5000)]
    private static partial Regex Fences();

    [GeneratedRegex(@"^(?<name>\w+)=\$\(", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 5000)]
    private static partial Regex Assignments();
}
