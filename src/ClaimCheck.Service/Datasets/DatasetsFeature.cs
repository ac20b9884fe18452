namespace ClaimCheck.Service.Datasets;

/// <summary>What may be exported: definitions in files, and the sample that a first start comes with.</summary>
internal static class DatasetsFeature
{
    public static WebApplicationBuilder AddDatasets(this WebApplicationBuilder builder)
    {
        builder.AddKnownSettings<SampleOptions>(SampleOptions.Section);
        builder.Services
            .AddSingleton<DatasetFolder>()
            .AddSingleton<SampleDatabase>()
            .AddSingleton<DatasetCatalog>()
            .AddSingleton<IDefinitionFolder>(services => services.GetRequiredService<DatasetCatalog>())
            .AddSingleton<DefinitionWatch>()
            .AddHostedService(services => services.GetRequiredService<DefinitionWatch>());
        return builder;
    }

    /// <summary>SIGHUP means that definitions are read again, and must not end the start either: from here on it
    /// is listened for.</summary>
    public static Task ListenForReloads(WebApplication app, CancellationToken cancellationToken)
    {
        app.Services.GetRequiredService<DefinitionWatch>();
        return Task.CompletedTask;
    }

    /// <summary>Creates the sample database where it is wanted, reads the definitions, and checks them against their
    /// sources.</summary>
    public static async Task LoadDatasetsAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var catalog = app.Services.GetRequiredService<CatalogDatabase>();
        await app.Services.GetRequiredService<SampleDatabase>()
            .EnsureAsync(catalog.ConnectionString, catalog.Server, cancellationToken);
        await app.Services.GetRequiredService<DatasetCatalog>().ReloadAsync(all: true, cancellationToken);
    }
}
