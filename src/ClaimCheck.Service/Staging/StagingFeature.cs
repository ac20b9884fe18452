namespace ClaimCheck.Service.Staging;

/// <summary>Registers staging: S3 where a bucket is named, else a folder.</summary>
internal static class StagingFeature
{
    public static WebApplicationBuilder AddStaging(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<StagingOptions>(StagingOptions.Section);
        builder.Services.AddSingleton<MultipartUploads>().AddSingleton<BatchStates>().AddSingleton<ReaderWatch>();
        if (string.IsNullOrEmpty(builder.Configuration[$"{StagingOptions.Section}:{nameof(StagingOptions.Bucket)}"]))
            AddFolder(builder);
        else
            builder.Services.AddSingleton<S3Connection>().AddSingleton<IStaging, S3Staging>().AddSingleton<ILanding, S3Landing>();
        builder.Services
            .AddSingleton(
                services => new StagingPlace(services.GetRequiredService<StagingOptions>(), services.GetService<FolderPaths>()))
            .AddSingleton<StagingPlaces>()
            .AddHostedService(services => services.GetRequiredService<StagingPlaces>())
            .AddSingleton(
                new ExceptionProblem(typeof(StagingException), ProblemCodes.StagingUnavailable, TimeSpan.FromSeconds(5)));
        return builder;
    }

    /// <summary>Checks that staging can be written and read, and that it belongs to this catalog only.</summary>
    public static async Task CheckStagingAsync(WebApplication app, CancellationToken cancellationToken)
    {
        await app.Services.GetRequiredService<IStaging>().CheckAsync(cancellationToken);
        await app.Services.GetRequiredService<StagingPlaces>().EnterAsync(cancellationToken);
    }

    private static void AddFolder(WebApplicationBuilder builder)
    {
        var data = DataDirectory.Of(builder.Configuration);
        builder.Services
            .AddSingleton(provider => new FolderPaths(
                Path.GetFullPath(provider.GetRequiredService<StagingOptions>().Folder ?? Path.Combine(data, "staging"))))
            .AddSingleton(
                provider => LinkKeys.Open(Path.Combine(data, "link-keys.json"), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<FolderAccess>()
            .AddSingleton<StagedFileLinks>()
            .AddSingleton<IStaging, FolderStaging>()
            .AddSingleton<ILanding, FolderLanding>();
    }
}
