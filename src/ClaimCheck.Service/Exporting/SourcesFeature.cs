namespace ClaimCheck.Service.Exporting;

internal static class SourcesFeature
{
    public static WebApplicationBuilder AddSources(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SourceDatabases>();
        return builder;
    }
}
