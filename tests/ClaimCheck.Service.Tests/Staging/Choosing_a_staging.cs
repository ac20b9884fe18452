using ClaimCheck.Contracts;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.Service.Tests.Staging;

public sealed class Choosing_a_staging
{
    [Fact]
    public async Task With_a_bucket_objects_are_staged_in_S3_as_the_environment_says()
    {
        var endpoint = await S3Endpoint.GetAsync();
        foreach (var (name, value) in endpoint.Environment)
            Environment.SetEnvironmentVariable(name, value); // the same for every test of this process
        await using var app = Build(("Bucket", await endpoint.NewBucketAsync()));
        await app.StartAsync();
        var staging = app.Services.GetRequiredService<IStaging>();
        var key = StagingKeys.Manifest(BatchId.New());

        await using (var writer = staging.OpenWriter(await staging.BeginAsync(key, StagedContent.Json("manifest.json"), default)))
        {
            await writer.WriteAsync(new byte[] { 1, 2, 3 }, default);
            await writer.CompleteAsync(default);
        }
        var signed = await staging.SignAsync(key, TimeSpan.FromMinutes(1), LinkAudience.Consumer, "GET", default);
        using var response = await StagingLab.GetAsync(signed.Link.Reveal());

        Assert.IsType<S3Staging>(staging);
        Assert.StartsWith(endpoint.Url.ToString(), signed.Link.Reveal(), StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public void A_wrong_setting_stops_the_start()
    {
        var refusal = Assert.Throws<StartupException>(() => Build(("ParallelParts", "0"), ("Checksums", "some")));

        Assert.Contains(
            "ClaimCheck:Staging:ParallelParts is 0, but must be from 1 to 64", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ClaimCheck:Staging:Checksums is 'some'", refusal.Message, StringComparison.Ordinal);
    }

    private static WebApplication Build(params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => new KeyValuePair<string, string?>($"ClaimCheck:Staging:{setting.Name}", setting.Value)));
        builder.Configuration.AddInMemoryCollection(
            [new("ClaimCheck:DataDirectory", Path.Combine(Path.GetTempPath(), $"claimcheck-{Guid.NewGuid():N}"))]);
        builder.Services.AddSingleton(NpgsqlDataSource.Create("Host=127.0.0.1"));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<PublicAddress>();
        builder.AddKnownSettings<ServiceOptions>(ServiceOptions.Section).AddStaging().CheckSettings();
        return builder.Build();
    }
}
