namespace ClaimCheck.Service.Exports;

internal static class ExportsFeature
{
    public static WebApplicationBuilder AddExports(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ExportStore>().AddSingleton<ExportRequests>().AddSingleton<ExportWaiting>()
            .AddSingleton<ExportViews>().AddSingleton<ExportHistory>().AddSingleton<ExportEstimates>();
        return builder;
    }
}
