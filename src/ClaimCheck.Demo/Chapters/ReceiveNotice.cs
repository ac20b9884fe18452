using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ReceiveNotice
{
    public static Step StartStep { get; } = new(
        "Start a consumer system",
        "A web server that knows nothing about ClaimCheck except a secret to verify notices with.",
        async (tour, cancellationToken) =>
        {
            var system = tour.Keep(new ConsumerSystem());
            await system.StartAsync(cancellationToken);
            tour.Screen.Good($"it accepts notices at {system.Address}");
        });

    public static Step Step { get; } = new(
        "The notice arrives",
        "Signed as standardwebhooks.com says, with the export's id and a link to the files.",
        async (tour, cancellationToken) =>
        {
            var notice = await tour.ConsumerSystem.NextAsync(cancellationToken);
            if ((string?)notice["type"] != "export.delivered" || (string?)notice["data"]!["id"] != tour.AdapterExport.Id)
                throw new DemoException($"The notice is {notice["type"]} of {notice["data"]!["id"]}.");
            var export = tour.Keep(await tour.Adapter.GetAsync(tour.Wire, tour.AdapterExport.Id, cancellationToken));
            tour.Screen.Figure("type", $"{notice["type"]}");
            tour.Screen.Figure("records", $"{(long)notice["data"]!["records"]!:N0} in {DemoScreen.Files((long)notice["data"]!["files"]!)}");
            if (export.Link is { } link)
                tour.Screen.Figure("link", ShownLinks.Of(link));
            tour.Screen.Good("its signature is valid");
        });
}
