namespace ClaimCheck.Service.Exporting;

internal static class ExportingFeature
{
    public static WebApplicationBuilder AddExporting(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ExportingOptions>("ClaimCheck:Exporting");
        builder.Services
            .AddSingleton(services => new KeySpace(
                services.GetRequiredService<TemporaryFiles>(), services.GetRequiredService<ExportingOptions>().KeyMemory))
            .AddSingleton(_ => new BlockBuffers())
            .AddSingleton<ExportMemory>()
            .AddSingleton<RetryKeys>()
            .AddSingleton<DryRuns>()
            .AddSingleton<IBatchStager, BatchExporter>()
            .AddSingleton<ExportLeases>()
            .AddSingleton<ExportOutcomes>()
            .AddSingleton<ExportRunner>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<ExportWorker>();
        return builder;
    }
}
