namespace ClaimCheck.Demo.Chapters;

internal static class ShowDatasets
{
    public static Step Step { get; } = new(
        "List the datasets",
        "GET /v1/datasets. Datasets are queries that the operator defines; callers name them, and never write SQL.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var datasets = await tour.Client.GetDatasetsAsync(cancellationToken: cancellationToken);
        var orders = datasets.Items.FirstOrDefault(dataset => dataset.Name == "orders")
            ?? throw new DemoException("The service does not list the dataset 'orders'.");
        if (!orders.Available)
            throw new DemoException("The dataset 'orders' is not available.");
        tour.Screen.Figure("dataset", $"{orders.Name}, key {orders.Key}, schema version {orders.SchemaVersion}");
        tour.Screen.Figure("columns", string.Join(", ", orders.Columns?.Select(column => $"{column.Name} {column.Type}") ?? []));
        tour.Screen.Figure("parameters", string.Join(", ", orders.Parameters.Select(each => $"{each.Key} {each.Value.Type}")));
        tour.Screen.Figure("formats", $"{string.Join(", ", orders.Formats)}; {string.Join(", ", orders.Compressions)}");
    }
}
