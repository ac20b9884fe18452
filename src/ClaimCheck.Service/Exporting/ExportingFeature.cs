using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Exporting;

internal static class ExportingFeature
{
    public static WebApplicationBuilder AddExporting(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ExportingOptions>("ClaimCheck:Exporting");
        builder.Services
            .AddSingleton(services => new KeySpace(
                Path.Combine(DataDirectory.Of(builder.Configuration), "keys"), services.GetRequiredService<ExportingOptions>().KeyMemory))
            .AddSingleton<BatchExporter>()
            .AddSingleton<BatchStager>()
            .AddSingleton<ExportLeases>()
            .AddSingleton<ExportOutcomes>()
            .AddSingleton<ExportRun>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<ExportWorker>();
        return builder;
    }
}
