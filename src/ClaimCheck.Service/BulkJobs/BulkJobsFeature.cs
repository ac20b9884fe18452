using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Jobs;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>Heavy writes, moved out of the request: operations, jobs, and the workers that apply them.</summary>
internal static class BulkJobsFeature
{
    public static WebApplicationBuilder AddBulkJobs(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<BulkJobsOptions>(BulkJobsOptions.Section);
        builder.Services
            .AddSingleton<OperationCatalog>()
            .AddSingleton<IDefinitionFolder>(services => services.GetRequiredService<OperationCatalog>())
            .AddSingleton<JobStore>()
            .AddSingleton<JobRetries>()
            .AddSingleton<JobStaging>()
            .AddSingleton<JobRequests>()
            .AddSingleton<JobIntake>()
            .AddSingleton<JobViews>()
            .AddSingleton<JobWaiting>()
            .AddSingleton<JobOutcomes>()
            .AddSingleton<ClaimedBatches>();
        if (!Roles.Of(builder.Configuration).IsWorker)
            return builder;
        builder.Services
            .AddSingleton<JobLeases>()
            .AddSingleton<JobProgress>()
            .AddSingleton<ChunkAppliers>()
            .AddSingleton<JobSources>()
            .AddSingleton<JobResultsWriter>()
            .AddSingleton<JobExecutor>()
            .AddSingleton<JobRunner>()
            .AddHostedService<JobWorker>()
            .AddHostedService<JobRetentionWorker>();
        return builder;
    }

    /// <summary>Reads the operations, and checks them against their targets.</summary>
    public static Task LoadOperationsAsync(WebApplication app, CancellationToken cancellationToken) =>
        app.Services.GetRequiredService<OperationCatalog>().LoadAsync(cancellationToken);

    public static IEndpointRouteBuilder MapBulkJobs(this IEndpointRouteBuilder routes) => routes.MapOperations().MapJobs();
}
