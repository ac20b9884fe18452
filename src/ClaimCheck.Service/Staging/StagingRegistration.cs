using ClaimCheck.Service.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClaimCheck.Service.Staging;

/// <summary>Puts staging together: S3 where a bucket is named, else a folder.</summary>
internal static class StagingRegistration
{
    public static WebApplicationBuilder AddStaging(this WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(StagingOptions.Section);
        builder.Services.AddOptions<StagingOptions>().Bind(section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<StagingOptions>, Validation>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<PublicAddress>();
        builder.Services.AddSingleton<UploadLedger>();
        builder.Services.AddHostedService<StartCheck>();
        if (string.IsNullOrEmpty(section[nameof(StagingOptions.Bucket)]))
            AddFolder(builder);
        else
            AddS3(builder.Services);
        return builder;
    }

    private static void AddS3(IServiceCollection services)
    {
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<StagingOptions>>().Value);
        services.AddSingleton(provider => new S3Connection(provider.GetRequiredService<StagingOptions>()));
        services.AddSingleton<IStaging, S3Staging>();
    }

    private static void AddFolder(WebApplicationBuilder builder)
    {
        var data = Path.GetFullPath(
            builder.Configuration["ClaimCheck:DataDirectory"] is { Length: > 0 } configured ? configured : ".claimcheck",
            builder.Environment.ContentRootPath);
        builder.Services.AddSingleton(provider => new FolderPaths(Path.GetFullPath(
            provider.GetRequiredService<IOptions<StagingOptions>>().Value.Folder ?? Path.Combine(data, "staging"),
            builder.Environment.ContentRootPath)));
        builder.Services.AddSingleton(provider => LinkKeys.Open(
            Path.Combine(data, "link-keys.json"), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<StagedFileLinks>();
        builder.Services.AddSingleton<BatchStates>();
        builder.Services.AddSingleton<IStaging, FolderStaging>();
    }

    private sealed class Validation : IValidateOptions<StagingOptions>
    {
        public ValidateOptionsResult Validate(string? name, StagingOptions options) =>
            options.Problems().ToList() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }

    private sealed class StartCheck(IStaging staging) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => staging.CheckAsync(cancellationToken);
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
