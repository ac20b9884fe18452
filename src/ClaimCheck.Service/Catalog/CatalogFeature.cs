using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Catalog;

internal static class CatalogFeature
{
    public static WebApplicationBuilder AddCatalog(this WebApplicationBuilder builder)
    {
        CatalogDatabase.ConfigureDapper();
        builder.AddKnownSettings<PasswordSettings.Written>("ClaimCheck:Catalog")
            .AddKnownSettings<Dictionary<string, PasswordSettings.Written>>("ClaimCheck:Sources");
        builder.Services
            .AddSingleton<CatalogDatabase>()
            .AddSingleton(services => services.GetRequiredService<CatalogDatabase>().DataSource)
            .AddSingleton<CatalogSignals>()
            .AddHostedService(services => services.GetRequiredService<CatalogSignals>());
        return builder;
    }
}
