using System.Diagnostics;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Testing;

/// <summary>
/// A real S3 server, one for the test process: <c>AWS_ENDPOINT_URL_S3</c> or <c>AWS_ENDPOINT_URL</c> where set, else LocalStack
/// where Docker runs, else a Ceph gateway that is started at first use and goes with the process. Without any a test fails.
/// </summary>
internal sealed class S3Endpoint
{
    private static readonly Lazy<Task<S3Endpoint>> Shared = new(StartAsync);

    private S3Endpoint(string url, string accessKey, string secretKey)
    {
        Url = new Uri(url);
        (AccessKey, SecretKey) = (accessKey, secretKey);
        Client = ClientFor(Url);
    }

    public Uri Url { get; }
    public string AccessKey { get; }
    public string SecretKey { get; }
    public string Region { get; } = Variable("AWS_REGION") ?? "us-east-1";

    /// <summary>A client with all rights. Not to be disposed.</summary>
    public IAmazonS3 Client { get; }

    /// <summary>What a process needs in its environment to reach this endpoint.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["AWS_ENDPOINT_URL_S3"] = Url.GetLeftPart(UriPartial.Authority),
        ["AWS_ACCESS_KEY_ID"] = AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
        ["AWS_REGION"] = Region,
    };

    public static Task<S3Endpoint> GetAsync() => Shared.Value;

    /// <summary>A client that reaches the same server through another address, such as a proxy's.</summary>
    public AmazonS3Client ClientFor(Uri url) => new(
        new BasicAWSCredentials(AccessKey, SecretKey),
        new AmazonS3Config
        {
            ServiceURL = url.ToString(),
            AuthenticationRegion = Region,
            ForcePathStyle = true,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });

    /// <summary>A new bucket with a name of its own.</summary>
    public async Task<string> NewBucketAsync(bool versioned = false, bool objectLock = false)
    {
        var name = $"test-{Guid.NewGuid():N}";
        await Client.PutBucketAsync(new PutBucketRequest { BucketName = name, ObjectLockEnabledForBucket = objectLock });
        if (versioned)
        {
            await Client.PutBucketVersioningAsync(new PutBucketVersioningRequest
            {
                BucketName = name,
                VersioningConfig = new S3BucketVersioningConfig { Status = VersionStatus.Enabled },
            });
        }
        return name;
    }

    private static async Task<S3Endpoint> StartAsync()
    {
        if ((Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL")) is { } configured)
            return new S3Endpoint(
                configured, Variable("AWS_ACCESS_KEY_ID") ?? "test", Variable("AWS_SECRET_ACCESS_KEY") ?? "test");

        if (await Containers.AwsUrlAsync() is { } url)
            return new S3Endpoint(url, "test", "test");

        var script = Path.Combine(RepositoryRoot(), "infra", "test-servers", "s3.sh");
        var directory = Path.Combine(Path.GetTempPath(), $"claimcheck-s3-{System.Environment.ProcessId}");
        var started = await RunAsync(script, ["up", directory], ("S3_WATCH_PID", $"{System.Environment.ProcessId}"));
        if (started.ExitCode == 0)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => RunAsync(script, ["down", directory]).Wait(TimeSpan.FromSeconds(20));
            var settings = started.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
                .ToDictionary(pair => pair[0], pair => pair[1]);
            return new S3Endpoint(
                settings["AWS_ENDPOINT_URL_S3"], settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]);
        }

        throw new InvalidOperationException(
            $"No S3 server was found to test with, and tests of staging are not skipped. {started.Errors.Trim()}\n" +
            "Install one (apt-get install -y --no-install-recommends ceph-mon ceph-osd radosgw ceph-common), or run Docker, " +
            "or name one in AWS_ENDPOINT_URL_S3.");
    }

    internal static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string file, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            using var process = Process.Start(start)!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, await output, await errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (127, "", e.Message);
        }
    }

    internal static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ClaimCheck.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("The tests do not run from within the repository.");
    }

    internal static string? Variable(string name) =>
        System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
