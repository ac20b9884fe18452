using System.Net.Http.Headers;
using System.Xml;
using System.Xml.Linq;

namespace ClaimCheck.Adapter.Locations;

/// <summary>The part of WebDAV (RFC 4918) that a location needs: MOVE, MKCOL, and PROPFIND of one level.</summary>
internal static class WebDav
{
    public static readonly HttpMethod Move = new("MOVE");
    public static readonly HttpMethod MakeFolder = new("MKCOL");
    private static readonly HttpMethod Find = new("PROPFIND");
    private static readonly XNamespace Dav = "DAV:";

    private const string Wanted = """
        <?xml version="1.0" encoding="utf-8"?>
        <propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>
        """;

    public static HttpRequestMessage List(Uri folder) => new(Find, folder)
    {
        Headers = { { "Depth", "1" } },
        Content = new StringContent(Wanted, Encoding.UTF8, new MediaTypeHeaderValue("application/xml")),
    };

    public static async Task<IReadOnlyList<StoredFile>> ReadAsync(
        Stream body, Uri folder, string location, CancellationToken cancellationToken)
    {
        try
        {
            // No DTDs, no external entities.
            var settings = new XmlReaderSettings { Async = true, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
            using var reader = XmlReader.Create(body, settings);
            var answer = await XDocument.LoadAsync(reader, LoadOptions.None, cancellationToken);
            return [.. answer.Descendants(Dav + "response").Select(response => Entry(response, folder)).OfType<StoredFile>()];
        }
        catch (XmlException e)
        {
            throw new LocationException(LocationFailure.Away,
                $"{location} could not be listed: its answer is not a WebDAV multistatus document.", inner: e);
        }
    }

    // Null for the folder itself, and for entries outside it.
    private static StoredFile? Entry(XElement response, Uri folder)
    {
        if (response.Element(Dav + "href")?.Value is not { } href || !Uri.TryCreate(folder, href.Trim(), out var address))
            return null;
        var inside = folder.AbsolutePath;
        if (!address.AbsolutePath.StartsWith(inside, StringComparison.Ordinal))
            return null;
        var name = Uri.UnescapeDataString(address.AbsolutePath[inside.Length..].TrimEnd('/'));
        if (name.Length == 0 || name.Contains('/', StringComparison.Ordinal))
            return null;
        var properties = response.Elements(Dav + "propstat").Elements(Dav + "prop").ToList();
        var isFolder = properties.Elements(Dav + "resourcetype").Elements(Dav + "collection").Any();
        _ = long.TryParse(properties.Elements(Dav + "getcontentlength").FirstOrDefault()?.Value, NumberStyles.None,
            CultureInfo.InvariantCulture, out var bytes);
        var modified = DateTimeOffset.TryParse(
            properties.Elements(Dav + "getlastmodified").FirstOrDefault()?.Value, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var at)
            ? at : (DateTimeOffset?)null;
        return new StoredFile(name, isFolder ? 0 : bytes, modified, isFolder);
    }
}
