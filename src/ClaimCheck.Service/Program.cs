using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Links;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Schedules;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Uploads;

return await Startup.GuardAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddLinkSafeLogging().AddTelemetry().AddHosting().AddCatalog().AddDatasets().AddStaging().AddLinks().AddExports().AddExporting().AddRevocation().AddPublishing().AddSchedules().AddUploads();

    var app = builder.Build();
    app.UseHosting();
    app.MapHosting();
    if (Roles.Of(app.Configuration).IsApi)
        app.MapDatasets().MapExports().MapBatches().MapRevocation().MapEvents().MapSchedules().MapUploads().MapInbox();
    app.MapStagedFiles();
    return await app.RunServiceAsync();
});
