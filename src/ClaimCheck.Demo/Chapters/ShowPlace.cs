using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ShowPlace
{
    public static Step Step { get; } = new(
        "Look at the shared location",
        "Complete files only, each verified; manifest.json has no links; _SUCCESS comes last.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(tour.Adapter.Place, tour.AdapterExport.Folder ?? throw new DemoException("Nothing is delivered."));
        foreach (var file in new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
            tour.Screen.Figure(file.Name, DemoScreen.Size(file.Length));
        if (!File.Exists(Path.Combine(folder, "_SUCCESS")))
            throw new DemoException("There is no _SUCCESS.");

        await using var manifest = File.OpenRead(Path.Combine(folder, "manifest.json"));
        var said = await JsonSerializer.DeserializeAsync<JsonElement>(manifest, ClaimCheckJson.Options, cancellationToken);
        var isCsv = said.GetProperty("format").GetString() == "csv"; // no value that is shown here contains a line break
        var lines = 0L;
        foreach (var file in said.GetProperty("files").EnumerateArray())
        {
            var path = Path.Combine(folder, file.GetProperty("name").GetString()!);
            await using var stored = File.OpenRead(path);
            var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(stored, cancellationToken));
            if (digest != file.GetProperty("sha256").GetString())
                throw new DemoException($"{path} does not match the manifest.");
            stored.Position = 0;
            using var text = new StreamReader(new GZipStream(stored, CompressionMode.Decompress));
            while (await text.ReadLineAsync(cancellationToken) is not null)
                lines++;
            if (isCsv)
                lines--; // its header
        }
        if (lines != said.GetProperty("records").GetInt64())
            throw new DemoException($"There are {lines:N0} records, which does not match the manifest.");
        tour.Screen.Good($"{lines:N0} records, each file's SHA-256 matches the manifest");
    }
}
