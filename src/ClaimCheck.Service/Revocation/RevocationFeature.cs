namespace ClaimCheck.Service.Revocation;

internal static class RevocationFeature
{
    public static WebApplicationBuilder AddRevocation(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<LinkProber>()
            .AddSingleton<BatchRevoker>()
            .AddSingleton<BatchEraser>()
            .AddSingleton<AttemptSweeper>()
            .AddSingleton<RetentionClock>()
            .AddSingleton<RevocationReports>()
            .AddHostedService<StagingCleaner>();
        return builder;
    }
}
