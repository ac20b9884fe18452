using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>AWS Query, the protocol of SNS. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html</summary>
internal static class QueryProtocol
{
    public const string Version = "2010-03-31";

    private static readonly Dictionary<string, string> Headers =
        new() { ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" };

    // Answers come from the network: no document types, no entities, nothing fetched.
    private static readonly XmlReaderSettings Safe = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        MaxCharactersInDocument = 16 << 20,
    };

    public static WireCall Call(
        string operation, string? on, IEnumerable<KeyValuePair<string, string>> parameters, bool holdsMessages = false)
    {
        var form = new StringBuilder("Action=").Append(operation).Append("&Version=").Append(Version);
        foreach (var (name, value) in parameters)
            form.Append('&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        return new WireCall(operation, on, Encoding.ASCII.GetBytes(form.ToString()), Headers, holdsMessages);
    }

    /// <summary>A map of the protocol: <c>Attributes.entry.1.key</c>, <c>Attributes.entry.1.value</c>, …</summary>
    public static IEnumerable<KeyValuePair<string, string>> Map(Dictionary<string, string> map)
    {
        var number = 0;
        foreach (var (key, value) in map)
        {
            number++;
            yield return new($"Attributes.entry.{number}.key", key);
            yield return new($"Attributes.entry.{number}.value", value);
        }
    }

    /// <summary>The parameters of a message, each with a prefix.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Message(
        string prefix, string message, Dictionary<string, MessageAttributeValue> attributes, string? groupId,
        string? deduplicationId)
    {
        yield return new(prefix + "Message", message);
        if (groupId is not null)
            yield return new(prefix + "MessageGroupId", groupId);
        if (deduplicationId is not null)
            yield return new(prefix + "MessageDeduplicationId", deduplicationId);
        var number = 0;
        foreach (var (name, value) in attributes)
        {
            var entry = prefix + "MessageAttributes.entry." + (++number).ToString(CultureInfo.InvariantCulture);
            yield return new(entry + ".Name", name);
            yield return new(entry + ".Value.DataType", value.DataType);
            yield return new(entry + ".Value.StringValue", value.StringValue);
        }
    }

    /// <summary>A parser for the answers of a call: anything but its complete result is not an answer.</summary>
    public static Func<ReadOnlyMemory<byte>, T> Reading<T>(string operation, Func<XElement, T> read) => body =>
    {
        XElement root;
        try
        {
            root = Parse(body);
        }
        catch (XmlException)
        {
            // Its message would quote the text where it stopped.
            throw new UnreadableException(body.IsEmpty ? "it is empty" : "it is not complete XML");
        }
        if (root.Name.LocalName != operation + "Response")
            throw new UnreadableException("it is the answer to something else");
        return read(Child(root, operation + "Result") ?? new XElement("None"));
    };

    public static WireError ReadError(ReadOnlyMemory<byte> body, IWebResponseData response)
    {
        try
        {
            var root = Parse(body);
            var error = Child(root, "Error") ?? Child(Child(root, "Errors"), "Error") ?? root;
            return new WireError(
                Text(error, "Code") is { Length: > 0 and <= 128 } code ? code : null, Text(error, "Message"),
                Text(root, "RequestId") ?? Text(root, "RequestID"));
        }
        catch (XmlException)
        {
            // A proxy's page, or half an answer: the status determines what to do.
            return new WireError(Code: null, Words: null);
        }
    }

    public static string RequiredText(XElement element, string name) =>
        Text(element, name) is { Length: > 0 } text ? text : throw new UnreadableException($"it has no {name}");

    public static string? Text(XElement element, string name) => Child(element, name)?.Value;

    public static XElement? Child(XElement? element, string name) =>
        element?.Elements().FirstOrDefault(child => child.Name.LocalName == name);

    public static IEnumerable<XElement> Members(XElement element, string list) =>
        Child(element, list)?.Elements().Where(child => child.Name.LocalName == "member") ?? [];

    /// <summary>A map of an answer: <c>entry</c> elements with <c>key</c> and <c>value</c>.</summary>
    public static Dictionary<string, string> ReadMap(XElement element, string name)
    {
        var map = new Dictionary<string, string>();
        foreach (var entry in Child(element, name)?.Elements() ?? [])
            map[RequiredText(entry, "key")] = Text(entry, "value") ?? "";
        return map;
    }

    private static XElement Parse(ReadOnlyMemory<byte> body)
    {
        using var stream = new MemoryStream(body.ToArray());
        using var reader = XmlReader.Create(stream, Safe);
        return XElement.Load(reader);
    }
}
