namespace ClaimCheck.Service.Revocation;

internal static class RevocationFeature
{
    public static WebApplicationBuilder AddRevocation(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<LinkProber>()
            .AddSingleton<BatchRevoker>()
            .AddSingleton<BatchEraser>()
            .AddSingleton<AttemptCleanup>()
            .AddSingleton<Retention>()
            .AddSingleton<RevocationReports>()
            .AddHostedService<ErasureWorker>();
        return builder;
    }
}
