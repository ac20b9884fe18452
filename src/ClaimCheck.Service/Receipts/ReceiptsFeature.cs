using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Receipts;

internal static class ReceiptsFeature
{
    public static WebApplicationBuilder AddReceipts(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<ReceiptReports>()
            .AddSingleton<ReceiptViews>()
            .AddSingleton<FailureIntake>()
            .AddSingleton<FailureLists>()
            .AddSingleton<Retries>()
            .AddSingleton<Redeliveries>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<ReceiptClock>();
        return builder;
    }

    public static IEndpointRouteBuilder MapReceipts(this IEndpointRouteBuilder routes) => routes.MapReceiptCalls().MapFailures().MapOffers();
}
