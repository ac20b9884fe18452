using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Service.Publishing;

internal static class PublishingFeature
{
    public static WebApplicationBuilder AddPublishing(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<PublishingOptions>("ClaimCheck:Publishing");
        builder.Services.AddSingleton<ManifestWriter>().AddSingleton<EventFeed>().AddSingleton<EventEnvelopes>()
            .AddSingleton<FreshEvents>();
        builder.Services.AddSingleton(_ => new AmazonSimpleNotificationServiceClient()); // connects to nothing until it is called
        if (!Roles.Of(builder.Configuration).IsWorker)
            return builder;
        builder.Services.AddHostedService<OutboxRelay>();
        if (!string.IsNullOrEmpty(builder.Configuration["ClaimCheck:Publishing:TopicArn"]))
            builder.Services.AddSingleton<TopicMessages>().AddSingleton<TopicPublisher>().AddSingleton<TopicQueue>()
                .AddHostedService<TopicRelay>();
        return builder;
    }
}
