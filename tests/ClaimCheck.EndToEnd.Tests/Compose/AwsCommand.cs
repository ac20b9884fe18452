using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Compose;

/// <summary>A folder that comes first on PATH and holds a command named <c>aws</c>; or no folder, for the
/// machine's own.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class AwsCommand : IDisposable
{
    private readonly string? folder;

    private AwsCommand(string? script)
    {
        if (script is null)
            return;
        folder = Directory.CreateTempSubdirectory("claimcheck-aws-").FullName;
        var command = Path.Combine(folder, "aws");
        File.WriteAllText(command, "#!/usr/bin/env bash\n" + script);
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string SearchPath => folder is null ? MachinePath : $"{folder}:{MachinePath}";

    private static string MachinePath => Environment.GetEnvironmentVariable("PATH") ?? "";

    /// <summary>The few calls of it that the script needs, as a program of this repository.</summary>
    public static AwsCommand OfThisRepository() =>
        new($"exec dotnet '{Path.Combine(AppContext.BaseDirectory, "ClaimCheck.AwsCli.dll")}' \"$@\"\n");

    /// <summary>One that says what it is called with, and fails.</summary>
    public static AwsCommand ThatOnlyRecords(string file) => new($"echo \"$*\" >>'{file}'; exit 254\n");

    /// <summary>The machine's own, where it is new enough to speak JSON to SQS and to know AWS_ENDPOINT_URL; else null.</summary>
    public static async Task<AwsCommand?> OfThisMachineAsync()
    {
        if (!MachinePath.Split(':').Any(place => File.Exists(Path.Combine(place, "aws"))))
            return null;
        var (exitCode, output, _) = await S3Endpoint.RunAsync("aws", ["--version"]);
        return exitCode == 0 && AwsVersion().Match(output) is { Success: true } match &&
            Version.Parse(match.Groups["version"].Value) is var version && version
                >= (version.Major == 1 ? new Version(1, 30) : new Version(2, 14))
            ? new AwsCommand(script: null)
            : null;
    }

    public void Dispose()
    {
        if (folder is not null)
            Directory.Delete(folder, recursive: true);
    }

    [GeneratedRegex(@"^aws-cli/(?<version>\d+\.\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AwsVersion();
}
