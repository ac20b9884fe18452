namespace ClaimCheck.Service.ProducerBatches;

internal static class ProducerBatchesFeature
{
    public static WebApplicationBuilder AddProducerBatches(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ProducerBatchesOptions>("ClaimCheck:Uploads");
        builder.Services
            .AddSingleton<ProducerBatchStore>()
            .AddSingleton<FileLocks>()
            .AddSingleton<FileCopies>()
            .AddSingleton<FileReceiver>()
            .AddSingleton<ProducerBatchViews>()
            .AddSingleton<MultipartFiles>()
            .AddSingleton<BatchPublisher>()
            .AddSingleton<IBatchStager, ProducerBatchStager>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<LandingWorker>();
        return builder;
    }
}
