namespace ClaimCheck.Service.Batches;

internal static class BatchesFeature
{
    public static WebApplicationBuilder AddBatches(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ManifestBuilder>().AddSingleton<Claims>().AddSingleton<BatchStream>()
            .AddSingleton<RecordPages>();
        return builder;
    }
}
