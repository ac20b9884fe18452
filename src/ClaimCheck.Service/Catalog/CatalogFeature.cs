namespace ClaimCheck.Service.Catalog;

internal static class CatalogFeature
{
    public static WebApplicationBuilder AddCatalog(this WebApplicationBuilder builder)
    {
        CatalogDatabase.ConfigureDapper();
        builder.AddKnownSettings<PasswordOptions.Written>("ClaimCheck:Catalog")
            .AddKnownSettings<Dictionary<string, PasswordOptions.Written>>("ClaimCheck:Sources");
        builder.Services
            .AddSingleton<CatalogDatabase>()
            .AddSingleton(services => services.GetRequiredService<CatalogDatabase>().DataSource)
            .AddSingleton<CatalogSignals>()
            .AddSingleton<LongPoll>()
            .AddHostedService(services => services.GetRequiredService<CatalogSignals>());
        return builder;
    }

    /// <summary>Opens the catalog and brings it to this program's schema.</summary>
    public static async Task OpenCatalogAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var catalog = app.Services.GetRequiredService<CatalogDatabase>();
        await catalog.OpenAsync(cancellationToken);
        try
        {
            await Migrations.ApplyAsync(catalog.DataSource, app.Logger, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is Npgsql.NpgsqlException)
        {
            throw new StartupException(CatalogErrors.Explain(e), e);
        }
    }
}
