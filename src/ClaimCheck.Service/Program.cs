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
using ClaimCheck.Service.Staging;

return await Startup.GuardAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddLinkSafeLogging().AddTelemetry().AddHosting().AddCatalog().AddDatasets().AddStaging().AddReckoning().AddLinks()
        .AddExports().AddExporting().AddRevocation().AddPublishing().AddSubscriptions().AddReceipts();

    var app = builder.Build();
    app.UseHosting();
    app.MapHosting();
    if (Roles.Of(app.Configuration).IsApi)
        app.MapDatasets().MapExports().MapBatches().MapRevocation().MapEvents().MapSubscriptions().MapWebhooks().MapReceipts();
    app.MapStagedFiles();
    return await app.RunServiceAsync();
});
