using DotNet.Testcontainers.Builders;
using Testcontainers.LocalStack;
using Testcontainers.PostgreSql;

namespace ClaimCheck.Testing;

/// <summary>
/// Servers in containers, where a Docker engine answers and its images can be had: LocalStack for S3, SNS and SQS, and Postgres.
/// One of each for the test process; they go with it.
/// </summary>
internal static class Containers
{
    private static readonly Lazy<Task<LocalStackContainer?>> Aws = new(() => StartedAsync(() =>
        // Later tags want an account. Without the variable neither signatures nor the expiry of links are checked.
        new LocalStackBuilder("localstack/localstack:4.14.0")
            .WithEnvironment("SERVICES", "s3,sns,sqs").WithEnvironment("S3_SKIP_SIGNATURE_VALIDATION", "0").Build()));

    private static readonly Lazy<Task<PostgreSqlContainer?>> Postgres = new(() => StartedAsync(() =>
        new PostgreSqlBuilder("postgres:17.6")
            .WithCommand(
                "-c", "max_connections=1000", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
            .Build()));

    /// <returns>The endpoint of S3, SNS and SQS; null without Docker.</returns>
    public static async Task<string?> AwsUrlAsync() => (await Aws.Value)?.GetConnectionString();

    /// <returns>A connection string of Postgres's administrator; null without Docker.</returns>
    public static async Task<string?> PostgresAsync() => (await Postgres.Value)?.GetConnectionString();

    private static async Task<T?> StartedAsync<T>(Func<T> build)
        where T : class, DotNet.Testcontainers.Containers.IContainer
    {
        try
        {
            var container = build();
            await container.StartAsync();
            AppDomain.CurrentDomain.ProcessExit += (_, _) => container.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(20));
            return container;
        }
        catch (DockerUnavailableException)
        {
            return null;
        }
    }
}
