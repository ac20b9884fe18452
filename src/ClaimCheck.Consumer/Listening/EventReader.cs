namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Reads what anyone who may write to a queue could have sent. It fails with one exception, which quotes nothing.
/// </summary>
internal static class EventReader
{
    /// <summary>The service stays below 8 KiB.</summary>
    public const int MaxBytes = 64 * 1024;

    private const string OwnTypes = "claimcheck.";

    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options)
    {
        MaxDepth = JsonDepth.OfDocuments,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <returns>Null for an event of ClaimCheck's whose type this version does not know.</returns>
    /// <exception cref="MalformedEventException">It is not a ClaimCheck event.</exception>
    public static IncomingEvent? Read(string body)
    {
        if (body.Length > MaxBytes || Encoding.UTF8.GetByteCount(body) > MaxBytes)
            throw new MalformedEventException($"It has {body.Length} characters, but an event has at most {MaxBytes} bytes.");
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = JsonDepth.OfDocuments });
            var type = CheckEnvelope(document.RootElement);
            if (EventTypes.FromCloudEventType(type) is null)
                return null;
            return Check(document.RootElement.Deserialize<BulkEvent>(Json) ?? throw new MalformedEventException("It is null."));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            // The parser's own message may quote the event, which contains a link: it is left out.
            throw new MalformedEventException("It is not JSON, or its members are not of the types that an event has.");
        }
    }

    /// <summary>Checks an event that is deserialized already, and reads its data.</summary>
    /// <exception cref="MalformedEventException">It contradicts itself.</exception>
    public static IncomingEvent Check(BulkEvent bulkEvent)
    {
        try
        {
            return EventTypes.FromCloudEventType(bulkEvent.Type) switch
            {
                EventTypes.BulkReady => Checked(bulkEvent, CheckReady(Data<BulkReadyData>(bulkEvent))),
                EventTypes.BulkRevoked => Checked(bulkEvent, Data<BulkRevokedData>(bulkEvent)),
                EventTypes.BulkCancelled => Checked(bulkEvent, Data<BulkCancelledData>(bulkEvent)),
                EventTypes.BulkFailed => Checked(bulkEvent, Data<BulkFailedData>(bulkEvent)),
                _ => new IncomingEvent(bulkEvent, null),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new MalformedEventException("The members of its data are not of the types that its type has.");
        }
    }

    // https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes
    private static string CheckEnvelope(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new MalformedEventException("It is not a JSON object.");
        if (Text(root, "specversion") != "1.0")
            throw new MalformedEventException("It is not a CloudEvent of version 1.0.");
        if (Text(root, "id") is not { Length: > 0 } || Text(root, "source") is not { Length: > 0 }
            || Text(root, "type") is not { Length: > 0 } type)
            throw new MalformedEventException("It has no id, source or type.");
        return type.StartsWith(OwnTypes, StringComparison.Ordinal)
            ? type
            : throw new MalformedEventException("It is a CloudEvent, but not ClaimCheck's.");
    }

    private static IncomingEvent Checked(BulkEvent bulkEvent, object data)
    {
        var read = new IncomingEvent(bulkEvent, data);
        return bulkEvent.Subject == read.BatchId.ToString()
            ? read
            : throw new MalformedEventException("Its subject and its data name different batches.");
    }

    private static BulkReadyData CheckReady(BulkReadyData ready)
    {
        if (ready.Records < 0 || ready.Bytes < 0 || ready.Files < 0)
            throw new MalformedEventException("A count in it is negative.");
        if (ready.Location is { } link
            && !(Uri.TryCreate(link.Reveal(), UriKind.Absolute, out var address)
                && address is { Scheme: "http" or "https", UserInfo.Length: 0 }))
            throw new MalformedEventException("Its location is not an http or https address without user info.");
        return ready;
    }

    private static T Data<T>(BulkEvent bulkEvent)
        where T : class =>
        bulkEvent.Data.ValueKind == JsonValueKind.Object && bulkEvent.Data.Deserialize<T>(Json) is { } data
            ? data
            : throw new MalformedEventException("Its data are not an object.");

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
