using ClaimCheck.Adapter;
using ClaimCheck.Adapter.Exports;
using ClaimCheck.Adapter.Operations;

return await CommandLine.GuardAsync(args, async () =>
{
    var builder = CommandLine.CreateBuilder(args);
    var options = OptionsReader.Read(builder.Configuration);
    if (args.Contains("--check"))
        return await Checkup.RunAsync(options);

    using var state = StateDirectory.Open(options.StateDirectory);
    builder.AddHttp(options.Access, options.Polling.Interval).Services.AddRoutes(options, state);
    if (options.Routes.Count > 0)
        builder.Services.AddDeliveries(options, state);
    await using var app = builder.Build();
    options.Access.Addresses.Check(ListenAddresses.Of(app, CommandLine.DefaultUrl));
    await app.Services.GetRequiredService<DeliveryBook>().LoadAsync(app.Lifetime.ApplicationStopping);
    await TablesAtStart.CheckAsync(options, app.Logger);
    app.UseHttp();
    app.MapHealth(_ => Task.FromResult<Refused?>(null)).MapRoutes().MapImports();
    if (options.Routes.Count > 0)
        app.MapExports();
    await app.RunAsync();
    return 0;
});
