using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Publishing;

internal static class PublishingFeature
{
    public static WebApplicationBuilder AddPublishing(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<PublishingOptions>("ClaimCheck:Publishing");
        builder.Services.AddSingleton<ManifestWriter>().AddSingleton<EventFeed>().AddSingleton<EventEnvelopes>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<OutboxRelay>();
        return builder;
    }
}
