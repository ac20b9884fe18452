using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Uploads;

internal static class UploadsFeature
{
    public static WebApplicationBuilder AddUploads(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<UploadsOptions>("ClaimCheck:Uploads");
        builder.Services
            .AddSingleton<UploadStore>()
            .AddSingleton<FileTurns>()
            .AddSingleton<UploadCopies>()
            .AddSingleton<UploadReceiver>()
            .AddSingleton<UploadViews>()
            .AddSingleton<PartUploads>()
            .AddSingleton<BatchPublisher>()
            .AddSingleton<IBatchStager, UploadedBatchStager>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<InboxSweeper>();
        return builder;
    }
}
