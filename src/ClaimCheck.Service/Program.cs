using ClaimCheck.Service.Batches;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Publishing.Subscriptions;
using ClaimCheck.Service.Publishing.Webhooks;
using ClaimCheck.Service.Receipts;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Schedules;

return await ServiceHost.GuardAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddStartup().AddTelemetry().AddHttp().AddCatalog().AddSources().AddStaging().AddDatasets().AddExporting()
        .AddLinks().AddExports()
        .AddRevocation().AddReceipts().AddSchedules().AddBatches().AddBulkJobs().AddPublishing().AddWebhooks().AddSubscriptions()
        .AddProducerBatches()
        .CheckSettings();

    var app = builder.Build();
    app.UseHttp();
    var routes = app.MapGroup("").ProducesProblems(400);
    routes.MapHttp();
    if (Roles.Of(app.Configuration).IsApi)
    {
        routes.MapGroup("").NoStore()
            .MapDatasets().MapExports().MapBatches().MapRevocation().MapEvents().MapSubscriptions().MapWebhooks().MapReceipts()
            .MapSchedules()
            .MapProducerBatches().MapLanding().MapBulkJobs();
    }

    routes.MapStagedFiles();
    return await app.RunServiceAsync(
        DatasetsFeature.ListenForReloads,
        HttpFeature.CheckAccess,
        StartupFeature.SweepTemporaryFiles,
        CatalogFeature.OpenCatalogAsync,
        DatasetsFeature.LoadDatasetsAsync,
        BulkJobsFeature.LoadOperationsAsync,
        StagingFeature.CheckStagingAsync);
});
