using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Links;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Publishing.Subscriptions;
using ClaimCheck.Service.Publishing.Webhooks;
using ClaimCheck.Service.Receipts;
using ClaimCheck.Service.Reckoning;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Schedules;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Uploads;

return await Startup.GuardAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddHosting().AddTelemetry().AddCatalog().AddDatasets().AddStaging().AddReckoning().AddLinks()
        .AddExports().AddExporting().AddRevocation().AddPublishing().AddSubscriptions().AddReceipts()
        .AddSchedules().AddUploads().AddBulkJobs()
        .CheckSettings();

    var app = builder.Build();
    app.UseHosting();
    var routes = app.MapGroup("").ProducesProblems(400);
    routes.MapHosting();
    if (Roles.Of(app.Configuration).IsApi)
    {
        routes.MapDatasets().MapExports().MapBatches().MapRevocation().MapEvents().MapSubscriptions().MapWebhooks().MapReceipts()
            .MapSchedules().MapUploads().MapInbox().MapBulkJobs();
    }

    routes.MapStagedFiles();
    return await app.RunServiceAsync();
});
