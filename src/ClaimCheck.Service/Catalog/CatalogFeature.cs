namespace ClaimCheck.Service.Catalog;

internal static class CatalogFeature
{
    public static WebApplicationBuilder AddCatalog(this WebApplicationBuilder builder)
    {
        CatalogDatabase.ConfigureDapper();
        builder.Services
            .AddSingleton<CatalogDatabase>()
            .AddSingleton(services => services.GetRequiredService<CatalogDatabase>().DataSource)
            .AddSingleton<CatalogSignals>()
            .AddHostedService(services => services.GetRequiredService<CatalogSignals>());
        return builder;
    }
}
