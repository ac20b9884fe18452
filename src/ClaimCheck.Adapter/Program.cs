using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Events;
using ClaimCheck.Adapter.Exports;
using ClaimCheck.Adapter.Hosting;
using ClaimCheck.Adapter.Imports;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;

return await Startup.GuardAsync(args, async () =>
{
    var builder = Startup.CreateBuilder(args);
    var settings = SettingsReader.Read(builder.Configuration);
    if (args.Contains("--check"))
        return await Checkup.RunAsync(settings);

    using var state = StateDirectory.Open(settings.StateDirectory);
    builder.AddHosting(settings).AddRoutes(state).AddImports();
    if (settings.Routes.Count > 0)
        builder.AddDeliveries(settings, state).AddEvents(settings, state);

    await using var app = builder.Build();
    CallerKeys.Addresses(settings).Check(ListenAddresses.Of(app, Startup.DefaultUrl));
    await app.Services.GetRequiredService<DeliveryBook>().LoadAsync(app.Lifetime.ApplicationStopping);
    await TableCheck.StartAsync(settings, app.Logger);
    app.UseHosting();
    app.MapHealth(_ => Task.FromResult<Refused?>(null)).MapRoutes().MapImports();
    if (settings.Routes.Count > 0)
        app.MapExports();
    await app.RunAsync();
    return 0;
});
