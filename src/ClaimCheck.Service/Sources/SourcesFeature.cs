namespace ClaimCheck.Service.Sources;

internal static class SourcesFeature
{
    public static WebApplicationBuilder AddSources(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SourceDatabases>();
        return builder;
    }
}
